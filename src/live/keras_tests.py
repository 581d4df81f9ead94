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
# of Keras: layers that make, take or pass masks, and models of them
TESTS = (
    "layers/core/masking_test.py",
    "layers/core/embedding_test.py",
    "layers/layer_test.py",
    "layers/rnn/*_test.py",
    "layers/attention/*_test.py",
    "layers/merging/*_test.py",
    "models/functional_test.py",
)
TOOLS = ("pytest", "pluggy", "iniconfig", "pygments", "absl-py")
AT = "/tests"

# what runs the tests, as the value of an expression: each test that did not pass, and the counts
RUN = f"""
(lambda: (
    exec({
    '''
import sys, keras, numpy, numpy.random
sys.path[:0] = ["/tests/tools"]
sys.path.append("/tests/library")
for name in [name for name in sys.modules if name.split(".")[0] == "absl"]:
    del sys.modules[name]
keras.src.__path__.append("/tests/keras/src")
numpy.__path__.append("/tests/numpy")
import pytest

class Outcomes:
    def __init__(self):
        self.passed, self.skipped, self.failed = 0, 0, {}

    def pytest_runtest_logreport(self, report):
        if report.failed:
            self.failed[report.nodeid] = report.longrepr.reprcrash.message.splitlines()[0][:200]
        elif report.skipped:
            self.skipped += 1
        elif report.when == "call":
            self.passed += 1

outcomes = Outcomes()
options = ["-q", "-p", "no:cacheprovider", "-p", "no:warnings", "-p", "no:faulthandler",
           "--import-mode=importlib", "--tb=short", "--rootdir=/tests/keras/src"]
status = pytest.main([*options, "/tests/keras/src"], plugins=[outcomes])
sys.modules["keras_tests_outcomes"] = outcomes
'''!r
}, {{}}),
    vars(__import__("sys").modules["keras_tests_outcomes"]),
)[1])()
"""


def main() -> None:
    known = tomllib.loads(KNOWN.read_text(encoding="utf-8"))
    explained = {test: reason for reason, tests in known["failed"].items() for test in tests}
    outcomes = run()
    failed = outcomes["failed"]
    print(f"{outcomes['passed']} passed, {len(failed)} failed, {outcomes['skipped']} skipped")
    new = {test: said for test, said in failed.items() if test not in explained}
    for test, said in new.items():
        print(f"{test}: {said}")
    for test in explained.keys() - failed.keys():
        print(f"{test} is in {KNOWN.name}, and passes")
    sys.exit(bool(new) or explained.keys() != failed.keys())


def run() -> dict:
    """How many tests `passed` and were `skipped`, and what each that `failed` said."""
    with tempfile.TemporaryDirectory() as folder:
        built, tests = Path(folder, "live"), Path(folder, "tests")
        if not build.build(built):
            sys.exit(1)
        lay_out(tests)
        with Runtime(built) as runtime:
            runtime.mount(tests, AT)
            return runtime.value(RUN)


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
    write(parts.unzipped(parts.pyodide()["python_stdlib.zip"]), folder / "library")
    wheel = parts.unzipped((HERE / "vendor" / parts.PARTS["numpy"]["file"]).read_bytes())
    write({path: data for path, data in wheel.items() if path.startswith("numpy/testing")}, folder)


if __name__ == "__main__":
    main()
