"""The cases in which PostgreSQL or what decides about its primary is away, or stores something else than it should."""

import time

from cases import Case, Result
from nodes import HOSTS, SERVERS, address, until


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

    result = Case(cluster).under_load(name, harm, seconds=45)
    try:
        until("a synchronous standby follows", cluster.has_standby, 40)
    except RuntimeError:
        # A Patroni that took its role back from a suspension no longer sees changes of etcd: as docs/cluster.md says.
        cluster.restart_patroni(cluster.primary())
        until("a synchronous standby follows", cluster.has_standby, 90)
        result.note += "; Patroni had to be restarted"
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


def postgresql(cluster):
    """Both servers of PostgreSQL lose all their processes at once, and are started again: all hosts spool."""
    def harm(result, project):
        for name in SERVERS:
            cluster[name].kill()
        until("all hosts spool", lambda: min(cluster.spooled()) > 0, 30)
        time.sleep(3)
        begin = time.monotonic()
        for name in SERVERS:
            cluster[name].start()
            cluster.start_patroni(name)
        until("a synchronous standby follows", cluster.has_standby, 90)
        result.note = f"both are back after {time.monotonic() - begin:.0f} s"

    return Case(cluster).under_load("postgresql", harm, seconds=45)


def etcd(cluster):
    """Two of the three etcd are killed: the primary gives up and all hosts spool, until the two are started again."""
    def harm(result, project):
        for name in ["h2", "h3"]:
            cluster[name].run("pkill", "-KILL", "etcd")
        until("no server is primary", lambda: not cluster.primary(), 40)
        until("all hosts spool", lambda: min(cluster.spooled()) > 0, 30)
        begin = time.monotonic()
        for name in ["h2", "h3"]:
            cluster.start_etcd(name)
        until("a synchronous standby follows", cluster.has_standby, 90)
        result.note = f"a primary and a standby {time.monotonic() - begin:.0f} s after etcd was back"

    return Case(cluster).under_load("etcd", harm, seconds=45)


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


def control_unsorted(cluster):
    """The control of `same`: sessions that store the same ids in other orders deadlock; in one order they do not."""
    result = Result("control-unsorted")
    project = cluster.project(f"unsorted-{time.monotonic_ns()}")

    def deadlocks(name, order):
        ids = f"SELECT CAST(md5('{name} {{}} ' || n) AS uuid) AS id FROM generate_series(1, 1000) AS n"
        begin = time.time() + 3
        sessions = [cluster.psql_beside(
            # All at the same moment.
            [f"SELECT pg_sleep({begin} - extract(epoch FROM clock_timestamp()))"] + [
                "INSERT INTO events (project_id, event_id, received_at, timestamp, received_on, level, message, payload) "
                f"SELECT {project['id']}, id, now(), now(), CAST(now() AT TIME ZONE 'UTC' AS date), 'error', 'm', '{{}}' "
                f"FROM ({ids.format(batch)}) AS ids ORDER BY {order.format(host)} ON CONFLICT DO NOTHING"
                for batch in range(10)]) for host in HOSTS]
        errors = [session.communicate()[1] for session in sessions]
        result.must(all("deadlock detected" in line for line in "".join(errors).splitlines() if line.startswith("ERROR")),
                    f"{errors}")
        return sum(error.count("deadlock detected") for error in errors)

    unsorted, in_order = deadlocks("unsorted", "md5('{}' || id)"), deadlocks("sorted", "id")
    result.must(unsorted > 0, "nothing deadlocked: `same` proves nothing")
    result.must(in_order == 0, f"{in_order} deadlocks although in order")
    result.note = f"{unsorted} deadlocks, as it must; in order {in_order}"
    Case(cluster).voices(result)
    return result
