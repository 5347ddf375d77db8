"""Another revision of this checkout, built to be compared with it or run beside it."""
import contextlib
import pathlib
import statistics
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


def compare(revision, folder, rounds, seconds):
    """Prints what this checkout and the other do in turns, and their ratio."""
    import measures
    from stack import PORT, Stack
    kinds = {("S1", "S1 a processor"): measures.single_and_cost, ("S2",): lambda stack: (measures.bulk(stack),),
             ("S4",): lambda stack: (measures.stream_messages(stack),)}
    other = build(revision)
    with contextlib.ExitStack() as context:
        stacks = [context.enter_context(Stack(f"{folder}/{name}", seconds, root, port))
                  for name, root, port in (("this", ROOT, PORT), ("other", other, PORT + 20))]
        pairs = {name: [] for names in kinds for name in names}
        for number in range(rounds):
            for names, measure in kinds.items():
                # Who goes first has the quieter disk: each in its turn.
                order = stacks if number % 2 == 0 else stacks[::-1]
                found = {stack: measure(stack) for stack in order}
                for name, this, that in zip(names, *(found[stack] for stack in stacks)):
                    pairs[name].append((this, that))
    print(f"events/s of this checkout, of {revision}, and their ratio as the median (least to most) of {rounds} rounds")
    for name, values in pairs.items():
        ratios = sorted(this / that for this, that in values)
        this, that = (statistics.median(side) for side in zip(*values))
        print(f"{name:15} {this:>9.0f} {that:>9.0f}  {statistics.median(ratios):5.3f} ({ratios[0]:.3f} to {ratios[-1]:.3f})")
