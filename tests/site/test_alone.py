"""A block, copied, runs where nothing of this repository is.

One block a page, the longest that uses the package if there is one; every
block with ALL_BLOCKS=1. That the copy button gives exactly this code is
checked in test_copied.py.
"""

import os
import subprocess
import sys
from concurrent.futures import ThreadPoolExecutor

import pytest

from sitekit.pages.page import Site
from sitekit.published.build import ROOT


def chosen():
    site = Site(ROOT)
    for name in site.names("en"):
        blocks = site.page("en", name).blocks
        if blocks and os.environ.get("ALL_BLOCKS") != "1":
            # a layer that the page includes is not an example of its use
            own = [block for block in blocks if "keras_masking" in block.code] or blocks
            blocks = [max(own, key=lambda block: block.fence.end - block.line)]
        for block in blocks:
            yield pytest.param(block, id=f"{name.removesuffix('.md')}-{block.line}")


CHOSEN = list(chosen())


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
def runs(reader, tmp_path_factory):
    """Every chosen block, running in a fresh process in an empty folder, two at a time."""
    environment = {
        "HOME": str(tmp_path_factory.mktemp("home")),  # no settings of Keras
        "PATH": f"{reader}:/usr/bin:/bin",
        "PYTHONIOENCODING": "utf-8",
        "TF_CPP_MIN_LOG_LEVEL": "3",
    }

    def run(block):
        program = {"python": ["python", "-c"], "sh": ["bash", "-euo", "pipefail", "-c"]}
        return subprocess.run(
            [*program[block.fence.language], block.code],
            cwd=tmp_path_factory.mktemp("empty"),
            env=environment,
            capture_output=True,
            text=True,
            timeout=300,
        )

    with ThreadPoolExecutor(2) as pool:
        yield {id(param.values[0]): pool.submit(run, param.values[0]) for param in CHOSEN}


@pytest.mark.parametrize("block", CHOSEN)
def test_a_copied_block_prints_what_the_page_says(runs, block):
    result = runs[id(block)].result()
    assert result.returncode == 0, result.stderr
    assert result.stdout == (block.output.code if block.output else "")
