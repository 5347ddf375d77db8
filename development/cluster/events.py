"""The cases by name: what happens to the cluster."""

import time

from cases import Case, Clients, Result
from nodes import HOSTS, SERVERS, address, until
from outages import (
    control_async, control_unsorted, etcd, postgresql, primary_cable, primary_etcd, primary_split, primary_stopped, switchover)


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
    """Each host in turn spools, loses its power with all that its disk has not synchronised, and is started again."""
    def harm(result, project):
        spooled = []
        for name in HOSTS:
            host = cluster[name]
            host.cut(*SERVERS)
            until(f"{name} spools", lambda: (cluster.metric(name, "mesher_spool_events") or 0) > 100, 30)
            spooled.append(int(cluster.metric(name, "mesher_spool_events")))
            host.lose_power()
            time.sleep(2)
            host.start()
            host.heal(*SERVERS)
            cluster.start_all(name)
            until(f"{name} is ready again", lambda: cluster.readyz(name).get("ready"))
            until(f"{name}'s spool is empty", lambda: cluster.is_delivered(name))
        result.note = f"{spooled} events waited on the disks"

    return Case(cluster).under_load("power", harm, seconds=60)


def days(cluster):
    """A host that was cut off from PostgreSQL loses its power about a midnight, and comes back two days later."""
    case, result, name = Case(cluster), Result("days"), "h2"
    host, midnight = cluster[name], cluster.midnight(days_ago=2)
    project, other = [cluster.project(f"days-{time.monotonic_ns()}") for _ in range(2)]
    cluster.stop_mesher(name)
    host.kill()
    # It is ready some seconds later, and receives events of two days.
    host.set_clock(midnight - int(time.time()) - 12)
    host.start()
    host.cut(*SERVERS)
    cluster.start_mesher(name)
    cluster.start_nginx(name)
    until(f"{name} is ready again", lambda: cluster.readyz(name).get("ready"))
    sent = Clients(
        cluster, "load", targets=[address(name)], key=project["key"], connections=6, rate=100, seconds=12).result()
    until("all is in the spool", lambda: cluster.metric(name, "mesher_spool_events") == len(sent["acknowledged"]), 5)
    host.lose_power()
    cluster.mesher("key", "revoke", other["key"], "--yes")
    host.set_clock(0)
    host.start()
    host.heal(*SERVERS)
    cluster.start_all(name)
    case.settle(result)
    case.compare(result, project, sent["acknowledged"], sent)
    received = cluster.psql(
        f"SELECT string_agg(DISTINCT (CURRENT_DATE - received_on)::text, ' ') FROM events WHERE project_id = {project['id']}")
    claims = int(cluster.psql(f"SELECT count(*) FROM event_claims WHERE project_id = {project['id']}"))
    result.must(claims > 0, "no id was claimed near that midnight")
    result.must(not cluster.knows(name, other["key"]), "it takes a key that was revoked meanwhile")
    cluster.mesher("db", "maintain")
    case.compare(result, project, sent["acknowledged"], sent)
    result.note = f"received {received} days before, {claims} ids claimed"
    case.voices(result)
    return result


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
    cluster["h2"].cut(*SERVERS)
    until("h2 misses PostgreSQL", lambda: "postgresql" in cluster.readyz("h2").get("degraded", []), 40)
    cluster.mesher("key", "revoke", project["key"], "--yes")
    until("h1 refuses the key", lambda: not cluster.knows("h1", project["key"]), 5)
    result.must(cluster.knows("h2", project["key"]), "h2 knows what it cannot")
    cluster["h2"].heal(*SERVERS)
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


CASES = {
    "limit": limit, "same": same, "cable": cable, "power": power, "days": days, "key": key, "redis": redis,
    "switchover": switchover, "primary-cable": primary_cable, "primary-etcd": primary_etcd,
    "primary-stopped": primary_stopped, "primary-split": primary_split, "postgresql": postgresql, "etcd": etcd, "upgrade": upgrade,
    "control-async": control_async, "control-unsorted": control_unsorted,
}
SHORT = ["same", "limit"]
# They take from a disk what was not synchronised, which needs loop devices.
NEEDS_DISKS = ["power", "days"]
