"""Three hosts of Mesher, Patroni and Sentinel on one machine, and what may happen to them: `make cluster`.

  development/cluster [--short] [--keep] [CASE ...]

Needs root, network namespaces, and Debian's patroni and etcd-server beside what development/install-packages installs. Prints a
line for each case; ends with 1 when one is not as it must be. --short runs the cases of `make test`, or says why it cannot.
--keep leaves logs and data.
"""

import os
import shutil
import signal
import subprocess
import sys
import time

from cases import Result
from events import CASES, NEEDS_DISKS, SHORT
from servers import Cluster


def obstacle():
    """Why there can be no cluster here; None when there can."""
    programs = ["patroni", "etcd", "redis-server", "nginx", "psql", "curl", "ip", "nsenter", "unshare", "setpriv"]
    missing = [name for name in programs if not shutil.which(name, path=os.environ["PATH"] + ":/usr/sbin:/sbin")]
    if missing:
        return f"not installed: {', '.join(missing)} (apt-get install patroni etcd-server iproute2)"
    if os.geteuid() != 0:
        return "not root"
    if subprocess.run(["unshare", "--net", "--mount", "--pid", "--fork", "true"], capture_output=True).returncode != 0:
        return "no namespaces can be made here"
    return None


def run(cluster, name):
    begin = time.monotonic()
    try:
        result = CASES[name](cluster)
    except Exception as error:  # One case that cannot be judged is a failure, and the others still run.
        result = Result(name)
        result.must(False, f"{type(error).__name__}: {error}")
    seconds = time.monotonic() - begin
    print(f"| {name} | {result.acknowledged} | {result.rows} | {result.gap:.1f} s | {result.p99 * 1000:.0f} ms | "
          f"{'; '.join(result.faults) or 'good'} | {result.note} | {seconds:.0f} s", flush=True)
    return not result.faults


def main(arguments):
    is_short, keeps = "--short" in arguments, "--keep" in arguments
    names = [name for name in arguments if not name.startswith("--")] or (SHORT if is_short else list(CASES))
    why = obstacle()
    if why:
        print(f"cluster: skipped, {why}" if is_short else f"cluster: {why}", file=sys.stderr)
        return 0 if is_short else 1
    os.environ["PATH"] += ":/usr/sbin:/sbin"
    # Whoever ends it finds nothing left.
    signal.signal(signal.SIGTERM, lambda *_: sys.exit(143))
    cluster = Cluster(has_disks=any(name in NEEDS_DISKS for name in names))
    begin = time.monotonic()
    try:
        cluster.start()
        print(f"a cluster of three hosts after {time.monotonic() - begin:.0f} s, {cluster.folder}", flush=True)
        print("| case | acknowledged | rows | longest gap | p99 | verdict | note | took\n|---|---|---|---|---|---|---|---", flush=True)
        results = [run(cluster, name) for name in names]
        return 0 if all(results) else 1
    finally:
        if keeps:
            shutil.copytree(cluster.folder, cluster.folder + ".kept", symlinks=True, ignore=shutil.ignore_patterns("etc", "installed", "run"))
        cluster.stop()


sys.exit(main(sys.argv[1:]))
