"""Runs inside Pyodide: Keras's tests below /tests, and how each ended. See keras_tests.py."""

import sys

import keras
import numpy

sys.path.insert(0, "/tests/tools")
sys.path.append("/tests/library")  # what the runtime leaves out of the standard library
for name in [name for name in sys.modules if name.partition(".")[0] == "absl"]:
    del sys.modules[name]  # the tests want the package, not what stands in for it
keras.src.__path__.append("/tests/keras/src")
keras.src.layers.rnn.__path__.append("/tests/keras/src/layers/rnn")
numpy.__path__.append("/tests/numpy")

import pytest  # noqa: E402

OPTIONS = ("-q", "--import-mode=importlib", "--rootdir=/tests", "--capture=sys")
WITHOUT = ("cacheprovider", "warnings", "faulthandler")


class Outcomes:
    def __init__(self):
        self.passed, self.skipped, self.failed = 0, 0, {}

    def pytest_collectreport(self, report):
        if report.failed:
            self.failed[report.nodeid] = str(report.longrepr).strip().splitlines()[-1]

    def pytest_runtest_logreport(self, report):
        if report.failed:
            self.failed[report.nodeid] = str(report.longrepr).strip().splitlines()[-1]
        elif report.skipped:
            self.skipped += 1
        elif report.when == "call":
            self.passed += 1


def outcomes() -> dict:
    found = Outcomes()
    options = [*OPTIONS, *(f"-pno:{name}" for name in WITHOUT), "/tests/keras/src"]
    pytest.main(options, plugins=[found])
    return vars(found)
