"""Types at a terminal through `mesher setup`, as root on a machine of its own that has the package, PostgreSQL, Redis and nginx.
Each line of its output is a thing that does not hold."""

import os
import pathlib
import pty
import select
import signal
import subprocess
import termios

END, INTERRUPT = b"\x04", b"\x03"
URL = "Where will senders"
GO = "Do this?"


def must(what, holds, shown=""):
    if not holds:
        print(f"FAULT  {what}\n{shown}", flush=True)


class Typed:
    """A command at a terminal. Each step of the dialogue is what is waited for, and what is typed then."""

    def __init__(self, options, *dialogue):
        self.shown = ""
        child, terminal = pty.fork()
        if child == 0:
            os.execvp("mesher", ["mesher", "setup", *options])
        read = 0
        for awaited, typed in dialogue:
            while (place := self.shown.find(awaited, read)) < 0 and self.more(terminal):
                pass
            if place < 0:
                break
            read = place + len(awaited)
            # What stands behind a question shows that it waits, and its echo is off by then.
            while "]: " not in self.shown[read:] and self.more(terminal, 0.5):
                pass
            os.write(terminal, typed if isinstance(typed, bytes) else typed.encode() + b"\n")
        self.echoes = True
        while self.more(terminal):
            pass
        try:
            self.echoes = bool(termios.tcgetattr(terminal)[3] & termios.ECHO)
        except termios.error:
            pass
        os.close(terminal)
        self.status = os.waitstatus_to_exitcode(os.waitpid(child, 0)[1])

    def more(self, terminal, patience=90):
        try:
            if not select.select([terminal], [], [], patience)[0]:
                return False
            text = os.read(terminal, 65536)
        except OSError:
            return False
        self.shown += text.decode(errors="replace").replace("\r", "")
        return bool(text)


def nothing_is_done(what, typed, status, *words):
    must(what, typed.status == status, f"{typed.status}\n{typed.shown}")
    for word in words:
        must(f"{what}: {word}", word in typed.shown, typed.shown)
    must(f"{what}: nothing is written", not any(pathlib.Path("/etc/mesher").glob("*-url")))
    must(f"{what}: nginx is as it was", not os.path.exists("/etc/nginx/conf.d/mesher.conf"))


def made(command):
    subprocess.run(["bash", "-euc", command], check=True, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)


made(r"""
self_signed() { openssl req -x509 -newkey ec -pkeyopt ec_paramgen_curve:P-256 -nodes -subj "/CN=$1" -keyout "$2.key" -out "$2.pem" "${@:3}"; }
self_signed other /root/other
openssl req -new -newkey ec -pkeyopt ec_paramgen_curve:P-256 -nodes -subj /CN=past -keyout /root/past.key -out /root/past.csr
install -d /run/past && : >/run/past/index && echo 01 >/run/past/serial
printf '[ca]\ndefault_ca=a\n[a]\ndatabase=/run/past/index\nserial=/run/past/serial\nnew_certs_dir=/run/past\ndefault_md=sha256\npolicy=p\n[p]\ncommonName=supplied\n' >/run/past/configuration
openssl ca -batch -config /run/past/configuration -selfsign -keyfile /root/past.key -in /root/past.csr -startdate 20200101000000Z -enddate 20210101000000Z -out /run/past.pem
chmod 644 /run/past.pem
install -m 644 /etc/ssl/errors.pem /run/ca.pem
install -m 600 /etc/ssl/errors.pem /run/hidden.pem
install -m 600 -o postgres /etc/ssl/errors.key /run/data/server.key
install -m 644 -o postgres /etc/ssl/errors.pem /run/data/server.pem
as_postgres() { (cd / && setpriv --reuid=postgres --regid=postgres --init-groups "$@"); }
as_postgres psql postgres -c "ALTER SYSTEM SET ssl_cert_file = '/run/data/server.pem'" -c "ALTER SYSTEM SET ssl_key_file = '/run/data/server.key'" \
    -c "ALTER SYSTEM SET ssl = on" -c "CREATE ROLE boss SUPERUSER LOGIN PASSWORD 'never-shown'" -c "SELECT pg_reload_conf()"
redis-server --save '' --daemonize yes --port 0 --tls-port 6390 --tls-cert-file /etc/ssl/errors.pem --tls-key-file /etc/ssl/errors.key \
    --tls-ca-cert-file /etc/ssl/errors.pem --tls-auth-clients no
""")

# What does not go on.
nothing_is_done(
    "n", Typed([], (URL, ""), (GO, "perhaps"), ("n does nothing", "n")), 64, "[http://", "nothing was done", "CREATE ROLE")
nothing_is_done("an empty answer", Typed([], (URL, ""), (GO, "")), 64, "nothing was done")
nothing_is_done("the end of the input", Typed([], (URL, END)), 64, "the input has ended")
nothing_is_done("the end of the input, later", Typed([], (URL, ""), (GO, END)), 64, "the input has ended")
nothing_is_done("an interrupt", Typed([], (URL, INTERRUPT)), -signal.SIGINT)
nothing_is_done("an interrupt, later", Typed([], (URL, ""), (GO, INTERRUPT)), -signal.SIGINT)

# Mistakes are named, and asked for again.
typed = Typed(
    [], (URL, "errors.example.com"), ("has to be http://HOST", "ftp://a"), ("has to be http://HOST", "https://errors.example.com"),
    ("Certificate of errors.example.com", ""), ("nginx needs one", "/run/nowhere.pem"),
    ("/run/nowhere.pem: No such file", "/etc/ssl/errors.key"), ("no certificate in PEM form", "/run/past.pem"),
    ("certificate has expired", "/etc/ssl/errors.pem"), ("Its private key", ""), ("no file is set", "/root/other.key"),
    ("not the key of the certificate", " /etc/ssl/errors.key "), (GO, "no"))
nothing_is_done("mistakes", typed, 64, "ssl_certificate_key /etc/ssl/errors.key;")

# An interrupt where nothing is shown leaves the terminal as it was.
superuser = ["--superuser-url", "postgresql://boss@errors.example.com/postgres?sslmode=verify-full"]
site = ["--public-url", "https://errors.example.com", "--certificate", "/etc/ssl/errors.pem", "--certificate-key", "/etc/ssl/errors.key"]
typed = Typed([*site, *superuser], ("CA of PostgreSQL", "/run/ca.pem"), ("Client certificate", ""), ("not shown", INTERRUPT))
nothing_is_done("an interrupt at the password", typed, -signal.SIGINT)
must("the terminal shows again what is typed", typed.echoes)
typed = Typed([*site, *superuser], ("CA of PostgreSQL", "/run/ca.pem"), ("Client certificate", ""), ("not shown", "wrong-one"))
nothing_is_done("a wrong password", typed, 69, "password authentication failed")
must("a wrong password is not shown either", "wrong-one" not in typed.shown, typed.shown)
for options, words in [
    (["--database-ca", "/run/hidden.pem"], "/run/hidden.pem: Permission denied for mesher"),
    (["--database-ca", "/run/past.pem"], "/run/past.pem: certificate has expired"),
    (["--database-certificate", "/run/ca.pem", "--database-key", "/run/nowhere"], "/run/nowhere: No such file"),
    (["--redis-url", "rediss://errors.example.com:6390", "--redis-ca", "/root/other.key"], "Permission denied for mesher"),
]:
    nothing_is_done("a wrong flag", Typed([*site, *options]), 78, words)
typed = Typed([*site, "--redis-url", "rediss://errors.example.com:6379"], ("CA of Redis", ""), ("Client certificate", ""))
nothing_is_done("a Redis that has no TLS there", typed, 69, "Redis: ")

# What is not a terminal is asked nothing.
for source in ["</dev/null", "< <(exec sleep 100 >&/dev/null)", "<<<y"]:
    run = subprocess.run(["bash", "-c", f"mesher setup {' '.join(site)} {source}"], capture_output=True, text=True, timeout=60)
    must(f"{source} does nothing", run.returncode == 64 and "nothing was done" in run.stderr + run.stdout, run)
run = subprocess.run(["bash", "-c", "mesher setup < <(exec sleep 100 >&/dev/null)"], capture_output=True, text=True, timeout=60)
must("without a URL nothing is done", run.returncode == 64 and "--public-url" in run.stderr, run)

# All of it, over TLS.
typed = Typed(
    [*superuser, "--redis-url", "rediss://errors.example.com:6390", *site],
    ("CA of PostgreSQL", "/run/hidden.pem"), ("Permission denied for mesher", "/run/past.pem"),
    ("certificate has expired", "/run/ca.pem"), ("Client certificate for PostgreSQL", ""),
    ("CA of Redis", ""), ("Client certificate for Redis", ""), ("not shown", "never-shown"), (GO, "y"))
must("setup leads to a first event", typed.status == 0 and "202 accepted" in typed.shown, f"{typed.status}\n{typed.shown}")
must("no password is shown", "never-shown" not in typed.shown, typed.shown)
for name in ["owner-url", "storage-url"]:
    text = pathlib.Path(f"/etc/mesher/{name}").read_text()
    must(name, text.endswith("/mesher?sslmode=verify-full&sslrootcert=/run/ca.pem\n") and "never-shown" not in text, text)
    must(f"the password in {name} is not shown", text.split(":")[2].split("@")[0] not in typed.shown)
configuration = pathlib.Path("/etc/mesher/mesher.conf").read_text()
for line in ["MESHER_REDIS_PORT=6390", "MESHER_REDIS_TLS=on", "MESHER_REDIS_CA=/etc/ssl/certs/ca-certificates.crt"]:
    must(line, line in configuration, configuration)
environment = dict(os.environ, MESHER_DATABASE_URL_FILE="/etc/mesher/owner-url")
check = subprocess.run(["mesher", "check"], capture_output=True, text=True, env=environment)
must("check finds Redis over TLS", "errors.example.com:6390 over TLS" in check.stdout, check.stdout)
print("ok     the end")
