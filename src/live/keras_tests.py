"""Keras's own tests of what masks pass through, in the runtime that a page loads.

    python -m live.keras_tests

Compares what fails with keras_tests.toml, which tells why, and fails where something else does.
"""

import shutil
import sys
import tempfile
import tomllib
from importlib.metadata import distribution
from pathlib import Path

from live import HERE, build, parts
from live.compiled import write
from live.node import Runtime

KNOWN = HERE / "keras_tests.toml"
# layers that make, take or pass masks, those that pool, and models of them
TESTS = (
    "layers/layer_test.py",
    "layers/core/*_test.py",
    "layers/rnn/*_test.py",
    "layers/attention/*_test.py",
    "layers/merging/*_test.py",
    "layers/pooling/*_test.py",
    "models/functional_test.py",
)
TOOLS = ("pytest", "pluggy", "iniconfig", "pygments", "absl-py")
AT = "/tests"


def main() -> None:
    known = tomllib.loads(KNOWN.read_text(encoding="utf-8"))
    explained = {test for group in known["failed"] for test in group["tests"]}
    outcomes = run()
    failed = outcomes["failed"]
    print(f"{outcomes['passed']} passed, {len(failed)} failed, {outcomes['skipped']} skipped")
    for test in sorted(failed.keys() - explained):
        print(f"{test} is not in {KNOWN.name}: {failed[test]}")
    for test in sorted(explained - failed.keys()):
        print(f"{test} is in {KNOWN.name}, and did not fail")
    counts = {name: outcomes[name] for name in ("passed", "skipped")}
    recorded = {name: known[name] for name in counts}
    if counts != recorded:
        print(f"{KNOWN.name} says {recorded}")
    sys.exit(explained != failed.keys() or counts != recorded)


def run() -> dict:
    """How many tests `passed` and were `skipped`, and what each that `failed` said."""
    with tempfile.TemporaryDirectory() as folder:
        built, tests = Path(folder, "live"), Path(folder, "tests")
        if not build.build(built):
            sys.exit(1)
        lay_out(tests)
        with Runtime(built) as runtime:
            runtime.mount(tests, AT)
            runtime.value(f"__import__('sys').path.append('{AT}')")
            return runtime.value("__import__('outcomes').outcomes()")


def lay_out(folder: Path) -> None:
    """Keras's tests, and what they import that the runtime is without."""
    package = Path(distribution("keras").locate_file("keras/src"))
    for pattern in TESTS:
        for path in package.glob(pattern):
            target = folder / "keras/src" / path.relative_to(package)
            target.parent.mkdir(parents=True, exist_ok=True)
            shutil.copy(path, target)
    shutil.copytree(package / "testing", folder / "keras/src/testing")
    for path in (folder / "keras/src/testing").glob("*_test.py"):
        path.unlink()
    for name in TOOLS:
        files = [file for file in distribution(name).files if not file.as_posix().startswith("..")]
        write({file.as_posix(): file.locate().read_bytes() for file in files}, folder / "tools")
    shutil.copy(HERE / "outcomes.py", folder)
    write(parts.unzipped(parts.pyodide()["python_stdlib.zip"]), folder / "library")
    wheel = parts.unzipped((HERE / "vendor" / parts.PARTS["numpy"]["file"]).read_bytes())
    write({path: data for path, data in wheel.items() if path.startswith("numpy/testing")}, folder)


if __name__ == "__main__":
    main()
