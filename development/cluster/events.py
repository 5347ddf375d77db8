"""The cases by name: what happens to the cluster."""

import json
import time

from cases import Case, Clients, Result
from nodes import HOSTS, address, until


def limit(cluster):
    """A project with a limit sends three times as much, by all doors of all hosts at once."""
    result, granted_at_most = Result("limit"), 900
    for _ in range(3):
        project = cluster.project(f"limit-{time.monotonic_ns()}", granted_at_most, 600)
        sent = Clients(
            cluster, "limit", targets=[address(host) for host in HOSTS], key=project["key"], events=2700).result()
        granted = sum(sent["granted"].values())
        rows = int(cluster.psql(f"SELECT count(*) FROM events WHERE project_id = {project['id']}"))
        result.acknowledged += granted
        result.rows += rows
        result.must(granted == granted_at_most and rows == granted, f"{sent} with a limit of {granted_at_most}, {rows} rows")
    result.note = f"limit {granted_at_most}, three times"
    Case(cluster).voices(result)
    return result


def same(cluster):
    """One id at three hosts at once, 500 times; and bulks of 100 in other orders."""
    case, result = Case(cluster), Result("same")
    project = cluster.project(f"same-{time.monotonic_ns()}")
    deadlocks = "SELECT deadlocks FROM pg_stat_database WHERE datname = 'mesher'"
    before = cluster.psql(deadlocks)
    sent = Clients(
        cluster, "same", targets=[address(host) for host in HOSTS], key=project["key"], ids=500, bulks=20).result()
    case.settle(result)
    case.compare(result, project, sent["acknowledged"], sent)
    result.must(sent["refused"] == 0, f"{sent['refused']} answers were no 202")
    time.sleep(1)
    more = int(cluster.psql(deadlocks)) - int(before)
    result.must(more == 0, f"{more} deadlocks")
    case.voices(result)
    return result


def cable(cluster):
    """Each host in turn is cut off for six seconds."""
    def harm(result, project):
        for name in HOSTS:
            cluster[name].cable("down")
            time.sleep(6)
            cluster[name].cable("up")
            time.sleep(4)

    return Case(cluster).under_load("cable", harm, seconds=36)


def power(cluster):
    """Each host in turn loses all its processes at once, and is started again."""
    def harm(result, project):
        for name in HOSTS:
            host = cluster[name]
            host.kill()
            time.sleep(4)
            host.start()
            cluster.start_etcd(name)
            cluster.start_sentinel(name)
            cluster.start_mesher(name)
            cluster.start_nginx(name)
            until(f"{name} is ready again", lambda: cluster.readyz(name).get("ready"))
            time.sleep(2)

    return Case(cluster).under_load("power", harm, seconds=34)


def primary(cluster, name, break_it, mend):
    """The primary is broken, and mended once the other server is primary."""
    def harm(result, project):
        old = cluster.primary()
        other = "pg2" if old == "pg1" else "pg1"
        begin = time.monotonic()
        break_it(cluster[old])
        until(f"{other} is primary", lambda: cluster.answers_as_primary(other), 60)
        result.note = f"{other} is primary after {time.monotonic() - begin:.0f} s"
        time.sleep(3)
        mend(cluster[old])

    case = Case(cluster)
    result = case.under_load(name, harm, seconds=55)
    until("a synchronous standby follows", cluster.has_standby, 90)
    return result


def primary_cable(cluster):
    """The primary's cable is cut."""
    return primary(cluster, "primary-cable", lambda node: node.cable("down"), lambda node: node.cable("up"))


def primary_etcd(cluster):
    """The primary reaches everything but etcd."""
    return primary(
        cluster, "primary-etcd", lambda node: node.close_port(2379), lambda node: node.open_port(2379))


def primary_stopped(cluster):
    """All processes of the primary's machine stand still."""
    return primary(
        cluster, "primary-stopped", lambda node: node.signal_all("STOP"), lambda node: node.signal_all("CONT"))


def primary_split(cluster):
    """The primary and one host do not reach each other: that host alone spools."""
    def harm(result, project):
        old = cluster.primary()
        cluster[old].cut("h1")
        until("h1 spools", lambda: (cluster.metric("h1", "mesher_spool_events") or 0) > 0, 30)
        # A session that hangs counts as away after five seconds.
        until("h1's readyz says so", lambda: "postgresql" in cluster.readyz("h1").get("degraded", []), 15)
        until("h1's metrics say so", lambda: cluster.metric(
            "h1", 'mesher_dependency_up{dependency="postgresql"}') == 0, 5)
        result.must(cluster.spooled()[1:] == [0, 0], f"others spool, too: {cluster.spooled()}")
        time.sleep(3)
        result.must(cluster.primary() == old, "the primary has changed")
        cluster[old].heal("h1")

    return Case(cluster).under_load("primary-split", harm, seconds=40)


def switchover(cluster):
    """An operator asks for the other primary, twice."""
    def harm(result, project):
        for _ in range(2):
            old = cluster.primary()
            other = "pg2" if old == "pg1" else "pg1"
            cluster[old].run(
                "patronictl", "-c", "/etc/patroni/config.yml", "switchover", "--master", old, "--candidate", other,
                "--force", "mesher")
            until(f"{other} is primary", lambda: cluster.answers_as_primary(other), 40)
            until("a synchronous standby follows", cluster.has_standby, 60)
            time.sleep(2)

    return Case(cluster).under_load("switchover", harm, seconds=40)


def redis(cluster):
    """Redis's master dies, comes back empty, and is told that it is a replica now."""
    def harm(result, project):
        name = cluster.sentinel("h1", "GET-MASTER-ADDR-BY-NAME", "mesher").split()[0]
        old = {address(one): one for one in ["r1", "r2"]}[name]
        begin = time.monotonic()
        cluster[old].run("pkill", "-KILL", "redis-server")
        until("a host misses Redis", lambda: any(
            "redis" in cluster.readyz(host).get("degraded", []) for host in HOSTS), 20)
        until("all hosts count in Redis again", lambda: all(
            "redis" not in cluster.readyz(host).get("degraded", ["redis"]) for host in HOSTS), 40)
        result.note = f"counted in Redis again everywhere after {time.monotonic() - begin:.1f} s"
        cluster.start_redis_server(old)
        counter, looked = f"mesher:limit:{{{project['id']}}}", 0

        def is_replica():
            # Asked before and after: what it is told in between makes it forget its own counters.
            before = cluster.redis(old, "ROLE").split("\n")[0]
            exists = cluster.redis(old, "EXISTS", counter)
            role = cluster.redis(old, "ROLE").split("\n")[0]
            nonlocal looked
            is_master = before == role == "master"
            looked += is_master
            result.must(not is_master or exists == "0", f"{old}, which knew nothing, has counted")
            return role == "slave"

        until(f"{old} is a replica", is_replica, 60)
        result.must(looked > 0, f"{old} never took itself for the master: nothing was tried")

    return Case(cluster).under_load("redis", harm, seconds=40)


def key(cluster):
    """A key is revoked while one host is cut off from PostgreSQL: it is refused there, too, once that ends."""
    case, result = Case(cluster), Result("key")
    project = cluster.project(f"key-{time.monotonic_ns()}")
    for server in ["pg1", "pg2"]:
        cluster["h2"].cut(server)
    until("h2 misses PostgreSQL", lambda: "postgresql" in cluster.readyz("h2").get("degraded", []), 40)
    cluster.mesher("key", "revoke", project["key"])
    until("h1 refuses the key", lambda: not cluster.knows("h1", project["key"]), 5)
    result.must(cluster.knows("h2", project["key"]), "h2 knows what it cannot")
    for server in ["pg1", "pg2"]:
        cluster["h2"].heal(server)
    begin = time.monotonic()
    until("h2 refuses the key", lambda: not cluster.knows("h2", project["key"]), 30)
    result.note = f"refused there {time.monotonic() - begin:.1f} s after the network was whole"
    case.settle(result)
    case.voices(result)
    return result


def upgrade(cluster):
    """Each host in turn is stopped in order and started again, as for an upgrade."""
    def harm(result, project):
        for name in HOSTS:
            cluster.stop_mesher(name)
            cluster.start_mesher(name)
            until(f"{name} is ready again", lambda: cluster.readyz(name).get("ready"))
            time.sleep(2)

    return Case(cluster).under_load("upgrade", harm, seconds=24)


def control_async(cluster):
    """The control of all cases that lose a primary: without synchronous replication acknowledged events are lost."""
    def mode(value):
        cluster["pg1"].run(
            "patronictl", "-c", "/etc/patroni/config.yml", "edit-config", "--force", "--set", f"synchronous_mode={value}",
            "mesher")

    def harm(result, project):
        old = cluster.primary()
        other = "pg2" if old == "pg1" else "pg1"
        cluster[old].cut(other)
        time.sleep(2)
        cluster[old].kill()
        until(f"{other} is primary", lambda: cluster.answers_as_primary(other), 60)
        cluster[old].start()
        cluster[other].run("ip", "neigh", "del", address(old), "dev", "eth0", check=False)
        cluster.start_patroni(old)

    mode("false")
    until("no standby is synchronous", lambda: not cluster.has_standby(), 30)
    result = Case(cluster).under_load("control-async", harm, seconds=40)
    lost = [fault for fault in result.faults if fault.startswith("LOST")]
    result.faults = [fault for fault in result.faults if not fault.startswith("LOST")]
    result.must(lost, "nothing was lost: the cases that lose a primary prove nothing")
    result.note = "; ".join(filter(None, ["as it must, it " + ", ".join(lost), result.note]))
    mode("true")
    until("a synchronous standby follows", cluster.has_standby, 90)
    return result


CASES = {
    "limit": limit, "same": same, "cable": cable, "power": power, "key": key, "redis": redis, "switchover": switchover,
    "primary-cable": primary_cable, "primary-etcd": primary_etcd, "primary-stopped": primary_stopped,
    "primary-split": primary_split, "upgrade": upgrade, "control-async": control_async,
}
SHORT = ["same", "limit"]
