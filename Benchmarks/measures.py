"""The measurements of `make bench`, each of one stack."""
import os
import subprocess
import time

import hostile
import load
import streams


def copy(stack):
    """Rows a second of COPY, from a file of rows as they are in `events`, into an empty table with its keys."""
    file, count = f"{stack.folder}/rows.copy", 100_000
    if not os.path.exists(file):
        stack.psql("CREATE UNLOGGED TABLE bench_rows (LIKE events)")
        stack.psql(f"""INSERT INTO bench_rows SELECT project_id, gen_random_uuid(), received_at, timestamp, received_on,
            level, message, platform, environment, release, server_name, logger, transaction, sdk_name, sdk_version,
            tags, payload
            FROM (SELECT * FROM events WHERE tags IS NOT NULL LIMIT 1) e, generate_series(1, {count})""")
        stack.psql(f"\\copy bench_rows TO '{file}'")
        stack.psql("DROP TABLE bench_rows")
    stack.psql("DROP TABLE IF EXISTS bench_copy")
    stack.psql("CREATE TABLE bench_copy (LIKE events INCLUDING ALL)")
    start = time.monotonic()
    stack.psql(f"\\copy bench_copy FROM '{file}'")
    return count / (time.monotonic() - start)


def scrub(stack, rules):
    stack.mesher("project", "set", "demo", "--scrub", rules)
    # All edges hear of it within a second.
    time.sleep(1)


def scrubbed(stack):
    scrub(stack, "default")
    rate, _ = stack.single_posts()
    scrub(stack, "off")
    return rate


def bulk(stack):
    before, start = stack.rows(), time.monotonic()
    load.wrk(stack.url + "/bulk", stack.bulk, 8, stack.seconds)
    return (stack.rows() - before) / (time.monotonic() - start)


def stream_messages(stack):
    """Messages a second through nginx, as the single POSTs; every one that is answered must be stored."""
    before = stack.rows()
    connections, _ = streams.open_all(stack.port, stack.env["MESHER_KEY"], 100)
    rate, accepted = streams.pipeline(connections, stack.body, stack.seconds)
    for connection in connections:
        connection.close()
    # What was on its way at the end is stored, too, and nobody waits for its answer.
    if stack.rows() - before < accepted:
        raise load.Failure(f"{stack.rows() - before} rows of {accepted} answers")
    return rate


def idle_streams(stack, count):
    """Memory of one, opened a second, and the slowest acknowledgement."""
    connections, rate = streams.open_all(stack.port + 1, stack.env["MESHER_KEY"], count)
    memory, found = streams.memory(f"{stack.env['MESHER_BIN']}/mesher", stack.env)
    if found != count:
        raise load.Failure(f"{found} sessions of {count}")
    slowest = streams.latency(connections, stack.body)
    for connection in connections:
        connection.close()
    return memory, rate, slowest


def beside_hostile(stack):
    """p99 and the slowest of a neighbour's events beside each hostile sender, by name."""
    attacker, other = hostile.pair(stack.env)
    return {name: hostile.beside([name], attacker, other, stack.seconds) for name in hostile.SENDERS}


def beside_large(stack):
    """p99 of 16 connections of single events, beside large bodies and alone."""
    alone = load.wrk(stack.url, stack.single, 16, stack.seconds)[1]
    noise = [
        subprocess.Popen(["wrk", "-t1", "-c2", f"-d{stack.seconds + 1}", "-s", script, target], stdout=subprocess.DEVNULL)
        for script, target in ((stack.large, stack.url), (stack.largest, stack.url + "/bulk"))]
    beside = load.wrk(stack.url, stack.single, 16, stack.seconds)[1]
    for process in noise:
        process.wait()
    return beside, alone


def single_and_cost(stack):
    """Single POSTs a second, and events a second of processor time, the load's own included."""
    before, rows = load.busy(), stack.rows()
    rate, _ = stack.single_posts()
    return rate, (stack.rows() - rows) / (load.busy() - before)
