"""Another revision of this checkout, built to be compared with it or run beside it."""
import pathlib
import subprocess
import sys

ROOT = pathlib.Path(__file__).resolve().parent.parent


def build(revision):
    """The programs of another revision, in a checkout that is kept for the next time."""
    name = subprocess.run(["git", "rev-parse", "--verify", revision + "^{commit}"], cwd=ROOT, check=True,
                          capture_output=True, text=True).stdout.strip()
    root = ROOT / ".build/against" / name
    if not root.exists():
        subprocess.run(["git", "clone", "--quiet", "--no-checkout", ROOT, root], check=True)
        subprocess.run(["git", "checkout", "--quiet", name], cwd=root, check=True)
    subprocess.run(["make", "--silent", "build"], cwd=root, check=True, stdout=sys.stderr)
    return root
