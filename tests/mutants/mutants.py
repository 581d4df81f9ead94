"""`make mutants`: small faults put into the package, and whether its tests find them.

    make mutants SEED=0 N=20      twenty faults, drawn by the seed

Each is one change that cosmic-ray makes of one expression: `<` becomes `<=`, `and` becomes `or`, a
loop runs no time. The tests of the module run on a copy of the tree, on the numpy backend, where
they are quickest. A fault that no test finds is shown as a diff: either it changes nothing that
counts, or a test is missing.
"""

import argparse
import os
import random
import shlex
import subprocess
import sys
import tempfile
from pathlib import Path

from cosmic_ray.commands import init
from cosmic_ray.mutating import mutate_and_test
from cosmic_ray.work_db import WorkDB, use_db
from cosmic_ray.work_item import TestOutcome

ROOT = Path(__file__).parents[2]
PACKAGE = Path("src/keras_masking")
TESTS_OF_A_KIND = {"attention": "test_attention", "1d": "test_windows"}
LIMIT = 600  # seconds that tests may take: a fault can make a loop endless


def copied(folder: Path) -> None:
    """The tree as it is, without what git ignores."""
    listed = subprocess.run(
        ["git", "ls-files", "--cached", "--others", "--exclude-standard"],
        cwd=ROOT,
        check=True,
        capture_output=True,
        text=True,
    )
    for name in listed.stdout.splitlines():
        if (source := ROOT / name).is_file():
            (folder / name).parent.mkdir(parents=True, exist_ok=True)
            (folder / name).write_bytes(source.read_bytes())


def tests_of(module: Path) -> list[str]:
    """The arguments of pytest that run what concerns a module."""
    if module.parent.name == "layers":
        if module.name.startswith("_"):
            return ["tests/layers"]
        # a file of tests has its name or that of its kind, a test in another file that of its class
        names = [module.stem, module.stem.replace("_", "")]
        names += [file for kind, file in TESTS_OF_A_KIND.items() if kind in module.stem]
        return ["tests/layers", "-k", " or ".join(names)]
    if module.name in ("losses.py", "conversions.py"):
        return [f"tests/layers/test_{module.name}"]
    return ["tests/tools"]


def drawn(folder: Path, seed: int, count: int) -> list:
    """Some of all faults, as what cosmic-ray changes and where."""
    modules = sorted(
        path.relative_to(folder)
        for path in (folder / PACKAGE).rglob("*.py")
        if path.name not in ("__init__.py", "__main__.py")
    )
    os.chdir(folder)
    with use_db("mutants.sqlite", WorkDB.Mode.create) as known:
        init(modules, known, {})
        faults = [item.mutations[0] for item in known.work_items]
    faults.sort(key=lambda x: (str(x.module_path), x.operator_name, x.occurrence))
    return random.Random(seed).sample(faults, min(count, len(faults)))


def run(folder: Path, seed: int, count: int) -> list[str]:
    """The faults that no test found, as diffs."""
    # in front of the package as it is installed
    os.environ |= {"PYTHONPATH": str(folder / "src"), "KERAS_BACKEND": "numpy"}
    os.environ |= {"TF_CPP_MIN_LOG_LEVEL": "3", "CUDA_VISIBLE_DEVICES": ""}
    alive, sound = [], set()
    for number, fault in enumerate(drawn(folder, seed, count), start=1):
        module = Path(fault.module_path)
        arguments = ["--quiet", "--exitfirst", "-n", "2", *tests_of(module)]
        command = shlex.join([sys.executable, "-W", "ignore", "-m", "pytest", *arguments])
        if command not in sound:
            subprocess.run(shlex.split(command), check=True, stdout=subprocess.DEVNULL)
            sound.add(command)
        result = mutate_and_test([fault], command, LIMIT)
        found = result.test_outcome != TestOutcome.SURVIVED
        what = f"{module.relative_to(PACKAGE)}:{fault.start_pos[0]} {fault.operator_name}"
        print(f"{number} of {count}: {'found' if found else 'NOT FOUND'}  {what}", flush=True)
        if not found:
            alive.append(result.diff)
    return alive


def main() -> int:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--seed", type=int, default=0, help="of the draw")
    parser.add_argument("--count", type=int, default=20, help="how many faults")
    options = parser.parse_args()
    with tempfile.TemporaryDirectory() as folder:
        copied(Path(folder))
        alive = run(Path(folder).resolve(), options.seed, options.count)
    for diff in alive:
        print(f"\n{diff}")
    found = options.count - len(alive)
    print(f"\nseed {options.seed}: {found} of {options.count} found, {found / options.count:.0%}")
    return 0


if __name__ == "__main__":
    sys.exit(main())
