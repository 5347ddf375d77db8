"""What Mesher is measured against: programs of Baseline, each behind an nginx with the configuration of the Mesher beside it."""
import glob
import os
import pathlib
import re
import shutil
import signal
import subprocess
import time

import load
from against import ROOT

SOURCES = pathlib.Path(__file__).resolve().parent / "Baseline"
GO_PATH = "/usr/share/gocode"


def compile_c(folder, name, *options):
    subprocess.run(["cc", "-O2", "-o", f"{folder}/{name}", SOURCES / f"{name}.c", *options], check=True)
    return f"{folder}/{name}"


def compile_slow_disk(folder):
    """The library that makes each fdatasync take 2 ms more."""
    path = f"{folder}/slow-disk.so"
    subprocess.run(["cc", "-O2", "-shared", "-fPIC", "-o", path, SOURCES / "slow-disk.c"], check=True)
    return path


class Peers:
    """The programs that run beside one Mesher. They stop at the end of the block."""

    def __init__(self, stack):
        self.stack, self.processes = stack, []

    def __enter__(self):
        return self

    def __exit__(self, *_):
        # Each nginx before its program.
        for process in reversed(self.processes):
            process.send_signal(signal.SIGTERM)
            process.wait()

    def blocking(self):
        # A process a request: as many as nginx keeps connections, or some of them would starve.
        return self.start_c("blocking", 68, 7)

    def event_loop(self):
        return self.start_c("event-loop", os.cpu_count(), 9)

    def start_c(self, name, processes, offset):
        socket = f"{self.stack.folder}/{name}.sock"
        self.start([compile_c(self.stack.folder, name, "-lfcgi"), socket, str(processes)])
        return self.start_nginx(name, socket, offset)

    def php(self):
        """None where PHP-FPM and its extensions are not installed."""
        programs = sorted(glob.glob("/usr/sbin/php-fpm*"))
        extensions = [glob.glob(f"/usr/lib/php/*/{name}.so") for name in ("pgsql", "redis", "opcache")]
        if not programs or not all(extensions):
            return None
        self.make_table()
        folder, socket = self.stack.folder, f"{self.stack.folder}/php.sock"
        subprocess.run(["redis-cli", "-s", self.stack.env["MESHER_REDIS_SOCKET"], "HSET", "peer:keys", self.stack.env["MESHER_KEY"],
                        f"{self.stack.env['MESHER_PROJECT_ID']} 1000000000 60"], check=True, stdout=subprocess.DEVNULL)
        values = {"@FOLDER@": folder, "@SOCKET@": socket, "@REDIS@": self.stack.env["MESHER_REDIS_SOCKET"],
                  "@DATABASE@": self.database()}
        text = (SOURCES / "php-fpm.conf").read_text()
        for name, value in values.items():
            text = text.replace(name, value)
        pathlib.Path(folder, "php-fpm.conf").write_text(text)
        self.start([programs[-1], "--nodaemonize", "--allow-to-run-as-root", "--fpm-config", f"{folder}/php-fpm.conf"])
        return self.start_nginx("php", socket, 11, {
            # FPM binds a child to a kept connection; with a connection each request any free child takes it.
            "fastcgi_keep_conn on;": f"fastcgi_keep_conn off;\nfastcgi_param SCRIPT_FILENAME {SOURCES}/intake.php;\n"
                                     "fastcgi_param PEER_AUTH $http_x_sentry_auth;"})

    def go(self):
        """None where Go and its libraries are not installed."""
        libraries = [f"{GO_PATH}/src/github.com/{name}" for name in ("jackc/pgx/v4", "gomodule/redigo")]
        if not shutil.which("go") or not all(map(os.path.isdir, libraries)):
            return None
        self.make_table()
        folder, socket = self.stack.folder, f"{self.stack.folder}/go.sock"
        environment = {"PATH": os.environ["PATH"], "GO111MODULE": "off", "GOPATH": GO_PATH, "GOFLAGS": "-buildvcs=false",
                       "GOCACHE": str(ROOT / ".build/bench-go")}
        subprocess.run(["go", "build", "-o", f"{folder}/intake", "."], cwd=SOURCES / "intake", env=environment, check=True)
        source = (ROOT / "Sources/Ingestion/Limit/LimitScript.swift").read_text()
        script = re.search(r'source: StaticString = """\n(.*?)"""', source, re.DOTALL)[1]
        self.start([f"{folder}/intake", socket, self.database(), self.stack.env["MESHER_REDIS_SOCKET"]],
                   LIMIT_SCRIPT=script)
        return self.start_nginx("go", socket, 13, {
            "fastcgi_pass $mesher_workers;":
                "proxy_pass http://peer;\nproxy_http_version 1.1;\nproxy_set_header Connection '';\n"
                "proxy_set_header X-Request-ID $mesher_request_id;",
            "upstream mesher_stream {": f"upstream peer {{\nserver unix:{socket};\nkeepalive 64;\n}}\nupstream mesher_stream {{"})

    def database(self):
        return self.stack.env["MESHER_DATABASE_URL"]

    def make_table(self):
        """A table like `events`, with its keys and a partition a day: theirs."""
        self.stack.psql("""
            DO $$ BEGIN
                IF to_regclass('public.peer_events') IS NOT NULL THEN RETURN; END IF;
                CREATE TABLE public.peer_events (LIKE public.events INCLUDING ALL) PARTITION BY RANGE (received_on);
                FOR ahead IN 0..1 LOOP
                    EXECUTE format('CREATE TABLE public.peer_%s PARTITION OF public.peer_events FOR VALUES FROM (%L) TO (%L)',
                        ahead, (now() AT TIME ZONE 'UTC')::date + ahead, (now() AT TIME ZONE 'UTC')::date + ahead + 1);
                END LOOP;
            END $$""")

    def measure(self, url, script, connections=load.CONNECTIONS):
        """As of Mesher: what was answered must be stored."""
        before = self.stack.rows("peer_events")
        rate, p99 = load.wrk(url, script, connections, self.stack.seconds)
        stored = self.stack.rows("peer_events") - before
        if stored < rate * self.stack.seconds * 0.98:
            raise load.Failure(f"{stored} rows of {rate * self.stack.seconds:.0f} answers of a peer")
        return rate, p99

    def start(self, command, **environment):
        self.processes.append(subprocess.Popen(command, stdout=subprocess.DEVNULL, env={**os.environ, **environment}))

    def start_nginx(self, name, socket, offset, changes={}):
        """An nginx of the same configuration whose upstreams are this socket; returns its URL."""
        env, port, folder = self.stack.env, self.stack.port, self.stack.folder
        source, target = pathlib.Path(folder, "stack/nginx"), pathlib.Path(folder, f"nginx-{name}")
        shutil.copytree(source, target, ignore=shutil.ignore_patterns("*.log"))
        run = env["MESHER_RUN_DIR"]
        operator = int(env["MESHER_OPERATOR_URL"].rsplit(":", 1)[1])
        for path in target.rglob("*.conf"):
            text = path.read_text().replace(str(source), str(target))
            text = text.replace(f"{run}/events.sock", socket).replace(f"{run}/bulk.sock", socket)
            text = text.replace(f":{port}", f":{port + offset}").replace(f":{operator}", f":{operator + offset}")
            text = text.replace(f"{os.path.dirname(run)}/nginx.pid", f"{folder}/nginx-{name}.pid")
            for old, new in changes.items():
                text = text.replace(old, new)
            path.write_text(text)
        self.start(["/usr/sbin/nginx", "-c", target / "nginx.conf", "-g", "daemon off;"])
        url = f"http://127.0.0.1:{port + offset}/api/v1/events"
        body = ["-d", '{"message":"m","level":"info"}', "-H", f"Authorization: Bearer {env['MESHER_KEY']}",
                "-H", f"X-Sentry-Auth: Sentry sentry_key={env['MESHER_KEY']}, sentry_version=7"]
        for _ in range(200):
            if subprocess.run(["curl", "-sfo/dev/null", *body, url]).returncode == 0:
                return url
            time.sleep(0.05)
        raise load.Failure(f"the baseline {name} does not answer")
