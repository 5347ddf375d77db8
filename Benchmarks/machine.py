"""On what was measured."""
import os
import pathlib
import platform
import re
import subprocess


def description():
    """One sentence for a reader."""
    processor = re.search(r"model name\s*: (.*)", pathlib.Path("/proc/cpuinfo").read_text())
    memory = int(re.search(r"MemTotal:\s+(\d+)", pathlib.Path("/proc/meminfo").read_text())[1]) / (1 << 20)
    system = re.search(r'PRETTY_NAME="(.*)"', pathlib.Path("/etc/os-release").read_text())
    postgresql = re.search(r"[\d.]+\d", subprocess.run(["psql", "--version"], capture_output=True, text=True).stdout)
    return (f"{os.cpu_count()} cores ({processor[1] if processor else platform.machine()}), {memory:.0f} GiB of memory, "
            f"{system[1] if system else platform.system()}, Linux {platform.release()}, PostgreSQL {postgresql[0] if postgresql else ''}")
