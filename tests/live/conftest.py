"""One runtime, built and started once, for all tests that run code in it."""

import pytest

from live import build
from live.node import Runtime


@pytest.fixture(scope="session")
def folder(tmp_path_factory):
    folder = tmp_path_factory.mktemp("live")
    if not build.build(folder):  # with CI it ends the run
        pytest.skip("what runs in the page is built by Node, which is not here")
    return folder


@pytest.fixture(scope="session")
def runtime(folder):
    with Runtime(folder) as runtime:
        yield runtime


@pytest.fixture
def run(runtime):
    """Run a reader's code, and return what it printed; it must come to its end."""

    def run(code: str) -> str:
        result = runtime.run(code)
        assert result["status"] == "done", result["error"]
        return result["out"]

    return run
