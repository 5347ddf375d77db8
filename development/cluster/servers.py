"""The three hosts, two PostgreSQL servers, two of Redis and the front, from the files of cluster/ as docs/cluster.md has it."""

import json
import os
import subprocess
import tempfile
import shutil
import time

from nodes import ADDRESSES, HOSTS, ROOT, SECRET, SERVERS, Node, until


class Cluster:
    def __init__(self, has_disks):
        self.has_disks = has_disks
        self.folder = tempfile.mkdtemp(prefix="mesher-cluster.", dir="/tmp")
        os.chmod(self.folder, 0o711)
        self.nodes = {}

    def __getitem__(self, name):
        return self.nodes[name]

    def start(self):
        subprocess.run(
            ["make", "--silent", "-C", ROOT, "install", f"DESTDIR={self.folder}/installed"], check=True)
        ADDRESSES["switch"] = 1
        switch = self.nodes["switch"] = Node("switch", self)
        switch.run("ip", "link", "add", "br0", "type", "bridge")
        switch.run("ip", "link", "set", "br0", "up")
        for name in ADDRESSES:
            if name != "switch":
                self.nodes[name] = Node(name, self, self.has_disks and name in HOSTS)
        self.start_redis()
        self.start_postgresql()
        self.make_database()
        for name in HOSTS:
            self.start_host(name)
        self.start_front()

    def start_postgresql(self):
        for name in HOSTS:
            self[name].install("etcd.conf", "/etc/default/etcd")
            self.start_etcd(name)
        for name in SERVERS:
            self[name].install("patroni.yml", "/etc/patroni/config.yml", 0o600, "postgres")
        # The first that comes is the primary.
        self.start_patroni("pg1")
        until("pg1 is primary", lambda: self.primary() == "pg1", 90)
        self.start_patroni("pg2")
        until("pg2 is a synchronous standby", lambda: self.has_standby(), 90)

    def start_etcd(self, name):
        self[name].service("etcd", ["sh", "-c", "set -a; . /etc/default/etcd; exec etcd --logger=zap"])

    def start_patroni(self, name):
        self[name].service(
            "patroni", ["patroni", "/etc/patroni/config.yml"], "postgres", {"HOME": "/var/lib/postgresql"})

    def restart_patroni(self, name):
        self[name].run("pkill", "-TERM", "-x", "patroni")
        until(f"{name}'s Patroni has ended", lambda: not self[name].run("pgrep", "-x", "patroni", check=False))
        self.start_patroni(name)

    def start_redis(self):
        for name in ["r1", "r2"]:
            self[name].install("redis.conf", "/etc/redis/redis.conf")
        with open(f"{self['r2'].folder}/etc/redis/redis.conf", "a") as configuration:
            configuration.write(open(f"{ROOT}/cluster/redis-replica.conf").read())
        for name in ["r1", "r2"]:
            self.start_redis_server(name)
        until("r2 follows r1", lambda: "state=online" in self.redis("r1", "INFO", "replication"))
        for name in HOSTS:
            self[name].install("sentinel.conf", "/etc/redis/sentinel.conf")
            self.start_sentinel(name)
        until("the Sentinels know each other", lambda: all(
            "num-other-sentinels\n2" in self.sentinel(name, "MASTER", "mesher") for name in HOSTS))

    def start_redis_server(self, name):
        self[name].service("redis", ["redis-server", "/etc/redis/redis.conf"])

    def start_sentinel(self, name):
        self[name].service("sentinel", ["redis-server", "/etc/redis/sentinel.conf", "--sentinel"])

    def make_database(self):
        with open(f"{ROOT}/cluster/database.sql") as file:
            text = file.read().replace("@SECRET@", SECRET)
        self.psql(text, database="postgres")
        client = self["client"]
        client.install("owner-url", "/etc/mesher/owner-url", 0o600)
        client.install("mesher.conf", "/etc/mesher/mesher.conf")
        client.install("storage-url", "/etc/mesher/storage-url", 0o600)
        self.secret(client)
        self.mesher("db", "migrate")

    def secret(self, node):
        with open(f"{node.folder}/etc/mesher/redis-password", "w") as file:
            file.write(SECRET + "\n")

    def start_host(self, name):
        host = self[name]
        for file in ["mesher.conf", "storage-url", "owner-url"]:
            host.install(file, f"/etc/mesher/{file}", 0o600)
        self.secret(host)
        host.install("nginx-host.conf", "/etc/nginx/conf.d/mesher.conf")
        host.install("mesher-fronts.conf", "/etc/nginx/mesher-fronts.conf")
        host.install("mesher-hosts.conf", "/etc/nginx/mesher-hosts.conf")
        self.start_mesher(name)
        self.start_nginx(name)
        until(f"{name} is ready", lambda: self.readyz(name).get("ready"))

    def start_mesher(self, name):
        self[name].service("mesher", ["/usr/local/lib/mesher/mesher-watchdog"])

    def start_all(self, name):
        """Starts what runs on a host that was switched on again."""
        self.start_etcd(name)
        self.start_sentinel(name)
        self.start_mesher(name)
        self.start_nginx(name)

    def stop_mesher(self, name):
        self[name].run("sh", "-c", "kill $(cat /run/mesher/watchdog.pid)")
        until(f"{name}'s watchdog has ended", lambda: not self[name].run("pgrep", "-x", "mesher-watchdog", check=False))

    def start_nginx(self, name):
        path = f"{self[name].folder}/etc/nginx/nginx.conf"
        with open(path) as file:
            text = file.read()
        # Debian's file, with a user who may open the sockets of a Mesher that runs as root, and without its sites and modules.
        text = text.replace("user www-data;", "user root;").replace("include /etc/nginx/sites-enabled/*;", "")
        text = text.replace("include /etc/nginx/modules-enabled/*.conf;", "").replace("worker_processes auto", "worker_processes 1")
        with open(path, "w") as file:
            file.write(text)
        self[name].service("nginx", ["nginx", "-g", "daemon off;"])

    def start_front(self):
        self["front"].install("nginx-front.conf", "/etc/nginx/conf.d/mesher.conf")
        self.start_nginx("front")
        until("the front answers", lambda: self.get("front", "http://front/readyz"))

    def stop(self):
        for node in self.nodes.values():
            node.process.kill()
        for node in self.nodes.values():
            node.process.wait()
        deadline = time.monotonic() + 20
        while os.path.exists(self.folder) and time.monotonic() < deadline:
            shutil.rmtree(self.folder, ignore_errors=True)
            time.sleep(0.1)

    # What they say.

    def get(self, node, url, seconds=3):
        return self[node].run("curl", "--silent", "--max-time", str(seconds), url, check=False)

    def readyz(self, host):
        try:
            return json.loads(self.get(host, "http://127.0.0.1/readyz"))
        except ValueError:
            return {}

    def metric(self, host, name):
        for line in self.get(host, "http://127.0.0.1:9464/metrics").splitlines():
            if line.startswith(name + " "):
                return float(line.split()[-1])
        return None

    def spooled(self):
        return [self.metric(host, "mesher_spool_events") for host in HOSTS]

    def is_delivered(self, host):
        """Whether nothing waits on its disk; while a storage that has just begun counts, there are bytes and no events yet."""
        return self.metric(host, "mesher_spool_events") == self.metric(host, "mesher_spool_bytes") == 0

    def primary(self):
        """The name of the server that Patroni says is the primary."""
        return next((name for name in SERVERS if self.answers_as_primary(name)), None)

    def answers_as_primary(self, name):
        return self.is_to_patroni(name, "primary")

    def is_to_patroni(self, name, role):
        return self["client"].run(
            "curl", "--silent", "--output", "/dev/null", "--write-out", "%{http_code}", "--max-time", "1",
            f"http://{name}:8008/{role}", check=False) == "200"

    def has_standby(self):
        """Whether PostgreSQL replicates to a standby and Patroni, a loop later, would let it take over."""
        replicates = self.psql("SELECT count(*) FROM pg_stat_replication WHERE sync_state = 'sync'", "postgres", False) == "1"
        return replicates and any(self.is_to_patroni(name, "synchronous") for name in SERVERS)

    def psql(self, sql, database="mesher", check=True):
        return self["client"].run(*self.psql_words(database), "-v", "ON_ERROR_STOP=1", check=check, text=sql)

    def psql_beside(self, statements):
        """Runs statements in the background, each in a transaction of its own; what fails is on its stderr."""
        words = self["client"].enter() + self.psql_words("mesher") + [word for one in statements for word in ("-c", one)]
        return subprocess.Popen(words, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True)

    def psql_words(self, database):
        url = f"postgresql://postgres:{SECRET}@pg1,pg2/{database}?target_session_attrs=read-write&connect_timeout=3"
        return ["psql", "-X", "-qAt", url]

    def midnight(self, days_ago):
        """The last midnight of UTC but so many, in seconds since 1970."""
        today = int(time.time()) // 86400
        return (today - days_ago) * 86400

    def redis(self, name, *words):
        return self[name].run("redis-cli", "--no-auth-warning", "-a", SECRET, *words, check=False)

    def sentinel(self, name, *words):
        return self[name].run("redis-cli", "-p", "26379", "--no-auth-warning", "-a", SECRET, "SENTINEL", *words, check=False)

    def mesher(self, *words, node="client", check=True):
        return self[node].run(
            "env", "MESHER_DATABASE_URL_FILE=/etc/mesher/owner-url", "mesher", *words, check=check)

    def project(self, name, limit=1_000_000_000, window=60):
        made = json.loads(self.mesher("project", "create", name, "--json"))
        self.mesher("project", "set", name, "--rate-limit", str(limit), "--rate-limit-window", str(window))
        until("the key is known everywhere", lambda: all(self.knows(host, made["key"]) for host in HOSTS), 30)
        time.sleep(1.1)
        return made

    def knows(self, host, key):
        code = self[host].run(
            "curl", "--silent", "--output", "/dev/null", "--write-out", "%{http_code}", "--max-time", "3",
            "-H", f"Authorization: Bearer {key}", "-H", "Content-Encoding: none", "-d", "{}",
            "http://127.0.0.1/api/v1/events", check=False)
        return code == "415"
