"""Machines of a cluster as namespaces of this one: each has a network, processes and a mount table of its own, and its /etc,
/var/lib, /var/log and /run, so that what is said of a real machine can be done to it. Nothing of them can be reached from
outside, and they end with the process that made them. Needs root."""

import ctypes
import os
import shutil
import signal
import subprocess
import time

ROOT = os.path.dirname(os.path.dirname(os.path.dirname(os.path.abspath(__file__))))
ADDRESSES = {"h1": 11, "h2": 12, "h3": 13, "pg1": 21, "pg2": 22, "r1": 31, "r2": 32, "front": 100, "client": 200}
HOSTS = ["h1", "h2", "h3"]
SERVERS = ["pg1", "pg2"]
SECRET = "0f6e2a9c4d"
# Nobody's: what is sent to it is gone, as behind a cable that was cut.
NOWHERE = "02:00:00:00:00:99"

# Waits for whatever ends, as an init does.
INIT = "mount --make-rprivate /; {mounts}; hostname {name} 2>/dev/null; touch {folder}/is-up; while :; do sleep 1000 & wait $!; done"
MOUNTED = ["etc", "var/lib", "var/log", "run", "usr/local"]
# Nothing reaches its disk but what is synchronised, as far as that can be had: the kernel writes what is 30 s old, and whoever
# calls `sync` on this machine writes all.
DISK_OPTIONS = "loop,noauto_da_alloc,commit=300"
# The ioctl EXT4_IOC_SHUTDOWN without writing the journal: from then on the file system takes nothing.
CUT_DISK = "import fcntl, os; fcntl.ioctl(os.open('/var/lib', os.O_RDONLY), 0x8004587d, b'\\2\\0\\0\\0')"


def address(name):
    return f"10.77.0.{ADDRESSES[name]}"


def die_with_parent():
    ctypes.CDLL(None).prctl(1, signal.SIGKILL)


def until(what, condition, seconds=60):
    """Waits for a condition, and returns what it came to."""
    deadline = time.monotonic() + seconds
    while True:
        result = condition()
        if result:
            return result
        if time.monotonic() > deadline:
            raise RuntimeError(f"never came: {what}")
        time.sleep(0.1)


class Node:
    def __init__(self, name, cluster, has_disk=False):
        self.name, self.cluster = name, cluster
        self.folder = f"{cluster.folder}/{name}"
        self.address = address(name)
        self.pid = None
        self.services = []
        self.disk = f"{self.folder}/disk" if has_disk else None
        shutil.copytree("/etc", f"{self.folder}/etc", symlinks=True, ignore_dangling_symlinks=True)
        for folder in ["var/lib", "var/log/nginx", "var/log/redis", "run"]:
            os.makedirs(f"{self.folder}/{folder}")
        for folder in ["nginx", "redis", "postgresql", "etcd", "mesher"]:
            os.makedirs(f"{self.folder}/var/lib/{folder}")
        os.makedirs(f"{self.folder}/etc/mesher")
        shutil.chown(f"{self.folder}/var/lib/postgresql", "postgres", "postgres")
        os.chmod(f"{self.folder}/var/lib/mesher", 0o700)
        self.install("hosts", "/etc/hosts")
        if has_disk:
            with open(self.disk, "w") as image:
                image.truncate(8 << 30)
            subprocess.run(["mkfs.ext4", "-q", "-F", "-d", f"{self.folder}/var/lib", self.disk], check=True)
        self.start()

    def start(self):
        """Switches it on; what was on its disk is there."""
        source = {path: f"{self.folder}/{path}" for path in MOUNTED}
        source["usr/local"] = f"{self.cluster.folder}/installed/usr/local"
        # Empty after each start, as everywhere.
        shutil.rmtree(source["run"])
        os.makedirs(source["run"] + "/mesher")
        os.makedirs(source["run"] + "/postgresql")
        shutil.chown(source["run"] + "/postgresql", "postgres", "postgres")
        if self.disk:
            del source["var/lib"]
        mounts = " && ".join(f"mount --bind {path} /{target}" for target, path in source.items())
        if self.disk:
            mounts += f" && mount -o {DISK_OPTIONS} {self.disk} /var/lib"
        marker = f"{self.folder}/is-up"
        if os.path.exists(marker):
            os.remove(marker)
        script = INIT.format(mounts=mounts, name=self.name, folder=self.folder)
        options = ["--net", "--mount", "--pid", "--uts", "--fork", "--kill-child", "--mount-proc"]
        self.process = subprocess.Popen(
            ["unshare"] + options + ["bash", "-c", script], preexec_fn=die_with_parent, stdin=subprocess.DEVNULL,
            stdout=subprocess.DEVNULL, stderr=open(f"{self.folder}/init.log", "a"), start_new_session=True)
        until(f"{self.name} is up", lambda: os.path.exists(marker))
        with open(f"/proc/{self.process.pid}/task/{self.process.pid}/children") as children:
            self.pid = int(children.read().split()[0])
        self.run("ip", "link", "set", "lo", "up")
        if self.name != "switch":
            self.connect()

    def connect(self):
        cable = f"v-{self.name}"
        switch = self.cluster.nodes["switch"]
        switch.run("ip", "link", "add", cable, "type", "veth", "peer", "name", "eth0", "netns", str(self.pid), outside=True)
        switch.run("ip", "link", "set", cable, "master", "br0", "up")
        self.run("ip", "address", "add", f"{self.address}/24", "dev", "eth0")
        self.run("ip", "link", "set", "eth0", "up")

    def enter(self, outside=False):
        # The numbers of processes outside are known only in the namespace outside.
        spaces = ["--net"] if outside else ["--net", "--mount", "--pid", "--uts"]
        return ["nsenter", "--target", str(self.pid)] + spaces + ["--"]

    def run(self, *words, check=True, outside=False, text=None, timeout=60):
        """Runs a command on it, and returns what it prints."""
        result = subprocess.run(
            self.enter(outside) + list(words), input=text or "", capture_output=True, text=True, timeout=timeout)
        if check and result.returncode != 0:
            raise RuntimeError(f"{self.name}: {' '.join(words)}: {result.stderr.strip() or result.stdout.strip()}")
        return result.stdout.strip()

    def service(self, name, words, user=None, environment=None):
        """Starts a service; its output goes to a log on its disk."""
        as_user = ["setpriv", f"--reuid={user}", f"--regid={user}", "--init-groups"] if user else []
        log = open(f"{self.folder}/{name}.log", "a")
        variables = {"PATH": "/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin", "HOME": "/var/lib"} | (environment or {})
        # Its parent waits for it here and not there, so it must not be the init's business.
        self.services.append(subprocess.Popen(
            self.enter() + as_user + words, stdin=subprocess.DEVNULL, stdout=log, stderr=log, env=variables,
            start_new_session=True, preexec_fn=die_with_parent, cwd="/"))

    def install(self, file, path, mode=0o644, owner=None):
        """Puts one of the files of cluster/ where it belongs, with this machine's name, address and secret."""
        with open(f"{ROOT}/cluster/{file}") as source:
            text = source.read().replace("@HOST@", self.name).replace("@ADDRESS@", self.address).replace("@SECRET@", SECRET)
        target = self.folder + path
        os.makedirs(os.path.dirname(target), exist_ok=True)
        with open(target, "w") as output:
            output.write(text)
        os.chmod(target, mode)
        if owner:
            shutil.chown(target, owner, owner)

    def lose_power(self):
        """Takes its power away: its disk has what was synchronised, and perhaps more."""
        self.signal_all("STOP")
        self.run("python3", "-c", CUT_DISK)
        self.kill()

    def set_clock(self, seconds):
        """Puts its clock so many seconds ahead, for what is started from now on; 0 is right."""
        preload, library = f"{self.folder}/etc/ld.so.preload", f"{self.folder}/etc/clock.so"
        if seconds == 0:
            os.remove(preload)
            return
        source = os.path.join(os.path.dirname(os.path.abspath(__file__)), "clock.c")
        subprocess.run(["clang", "-shared", "-fPIC", f"-DOFFSET={seconds}", "-o", library, source], check=True)
        with open(preload, "w") as file:
            file.write("/etc/clock.so\n")

    def kill(self):
        """Ends all its processes at once; the disk stays."""
        os.kill(self.pid, signal.SIGKILL)
        # A stopped one would not notice that its child has died.
        for service in self.services:
            service.kill()
            service.wait()
        self.services = []
        self.process.wait()
        if self.disk:
            # Else it would be mounted once more as it is, and not read anew.
            until(f"{self.name}'s disk is free", lambda: not subprocess.run(
                ["losetup", "--associated", self.disk], check=True, capture_output=True).stdout)
        self.cluster.nodes["switch"].run("ip", "link", "delete", f"v-{self.name}", check=False)

    def signal_all(self, name):
        # From inside: all processes but the init and this one.
        self.run("sh", "-c", f"kill -{name} -1", check=False)
        # nsenter stops itself when its child is stopped.
        if name == "CONT":
            for service in self.services:
                service.send_signal(signal.SIGCONT)

    def cable(self, state):
        """`down` cuts it off from all others, `up` ends that."""
        self.cluster.nodes["switch"].run("ip", "link", "set", f"v-{self.name}", state)

    def cut(self, *others):
        """Lets nothing through between it and these."""
        for other in others:
            self.run("ip", "neigh", "replace", address(other), "lladdr", NOWHERE, "dev", "eth0", "nud", "permanent")
            self.cluster.nodes[other].run(
                "ip", "neigh", "replace", self.address, "lladdr", NOWHERE, "dev", "eth0", "nud", "permanent")

    def close_port(self, port):
        """Lets nothing out of it to a port of TCP."""
        self.run("ip", "rule", "add", "pref", "10", "ipproto", "tcp", "dport", str(port), "blackhole")

    def open_port(self, port):
        self.run("ip", "rule", "del", "pref", "10", "ipproto", "tcp", "dport", str(port), "blackhole")

    def heal(self, *others):
        for other in others:
            self.run("ip", "neigh", "del", address(other), "dev", "eth0", check=False)
            self.cluster.nodes[other].run("ip", "neigh", "del", self.address, "dev", "eth0", check=False)
