"""A block, copied, runs where nothing of this repository is, and without the checks' seeds.

That the copy button gives exactly this code is checked in test_each_page.py.
"""

import json
import subprocess
import sys
from pathlib import Path

import pytest

from sitekit.pages.page import Site
from sitekit.published.build import ROOT

SITE = Site(ROOT)
BLOCKS = [
    pytest.param(block, id=f"{name.removesuffix('.md')}-{block.line}")
    for name in SITE.names("en")
    for block in SITE.page("en", name).blocks
]


@pytest.fixture(scope="session")
def reader(site, tmp_path_factory):
    """A Python with the wheel of the site, what its pages import, and nothing else."""
    folder = tmp_path_factory.mktemp("reader")
    (wheel,) = site.glob("*.whl")
    uv = [sys.executable, "-m", "uv"]
    subprocess.run([*uv, "venv", "--quiet", "--python", sys.executable, folder], check=True)
    packages = [
        "--constraint",
        ROOT / "requirements.txt",
        f"keras-masking[pages] @ {wheel.as_uri()}",
    ]
    subprocess.run(
        [*uv, "pip", "install", "--quiet", "--python", folder, *packages],
        check=True,
    )
    return folder / "bin"


@pytest.fixture(scope="session")
def environment(reader, tmp_path_factory):
    return {
        "HOME": str(tmp_path_factory.mktemp("home")),  # no settings of Keras
        "PATH": f"{reader}:/usr/bin:/bin",
        "PYTHONIOENCODING": "utf-8",
        "TF_CPP_MIN_LOG_LEVEL": "3",
    }


@pytest.fixture(scope="session")
def warm(reader, environment):
    with subprocess.Popen(
        [reader / "python", Path(__file__).with_name("warm.py")],
        cwd=environment["HOME"],
        env=environment,
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
        text=True,
    ) as process:
        yield process
        process.stdin.close()


@pytest.fixture
def run(warm, environment, tmp_path):
    """Run a block in an empty folder: its exit status, and what it printed on both streams."""

    def run_(block):
        if block.fence.language == "sh":
            command = ["bash", "-euo", "pipefail", "-c", block.code]
            done = subprocess.run(
                command, cwd=tmp_path, env=environment, capture_output=True, text=True
            )
            return done.returncode, done.stdout, done.stderr
        print(
            json.dumps({"code": block.code, "folder": str(tmp_path)}), file=warm.stdin, flush=True
        )
        status = int(warm.stdout.readline())
        return status, *((tmp_path / name).read_text("utf-8") for name in ("out", "err"))

    return run_


@pytest.mark.parametrize("block", BLOCKS)
def test_a_copied_block_prints_what_the_page_says(run, block):
    status, printed, errors = run(block)
    assert status == 0, errors
    assert printed == (block.output.code if block.output else "")
