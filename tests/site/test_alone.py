"""What a reader needs for the blocks is in the wheel of the site and in what it asks for.

That every block prints what the page says, alone and without seeds, is checked with the pages.
"""

import ast
import subprocess
import sys

import pytest

import keras_masking
from sitekit.pages.alone import Runner
from sitekit.pages.page import Site
from sitekit.published.build import ROOT

SITE = Site(ROOT)
BLOCKS = [block for name in SITE.names("en") for block in SITE.page("en", name).blocks]
PYTHON = [block for block in BLOCKS if block.fence.language == "python"]
SHELL = [block for block in BLOCKS if block.fence.language == "sh"]
COMMANDS = [block for block in SHELL if "-m keras_masking" in block.code]


def uses(name: str, block) -> bool:
    found = ast.walk(ast.parse(block.code))
    return any(isinstance(node, ast.Name) and node.id == name for node in found)


def first_uses() -> list:
    """The first block of each function, loss and metric of the package, each block once."""
    names = {*keras_masking.__all__} - {*keras_masking.layers.__all__}
    found = (next((b for b in PYTHON if uses(name, b)), None) for name in sorted(names))
    return list({block.name: block for block in found if block}.values())


@pytest.fixture(scope="module")
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


@pytest.fixture(scope="module")
def environment(reader):
    return {
        "PATH": f"{reader}:/usr/bin:/bin",
        "PYTHONIOENCODING": "utf-8",
        "TF_CPP_MIN_LOG_LEVEL": "3",
    }


@pytest.fixture(scope="module")
def runner(reader, environment):
    return Runner(reader / "python", environment)


def imports(code: str) -> set[str]:
    """Without those in a `try`, which may be there to fail."""
    found = (ast.Import, ast.ImportFrom)
    return {ast.unparse(node) for node in ast.parse(code).body if isinstance(node, found)}


def test_all_that_blocks_import_is_there(runner):
    lines = {line for block in PYTHON for line in imports(block.code)}
    in_shell = (line for block in SHELL for line in block.code.splitlines())
    lines |= {line for line in in_shell if line.startswith(("import ", "from "))}
    code = "\n".join(sorted(lines))
    assert "import tensorflow as tf" in code and "import jax" in code
    status, _, error = runner.run(code, "imports", 0)
    assert status == 0, error


@pytest.mark.parametrize("block", first_uses(), ids=lambda block: block.name)
def test_a_tool_works_as_its_block_says(runner, block):
    status, printed, error = runner.run(block.code, str(block.path), block.line)
    assert status == 0, error
    assert printed == (block.output.code if block.output else "")


@pytest.mark.parametrize("block", COMMANDS, ids=lambda block: block.name)
def test_a_command_prints_what_the_page_says(environment, tmp_path, block):
    done = subprocess.run(
        ["bash", "-euo", "pipefail", "-c", block.code],
        cwd=tmp_path,
        env=environment | {"HOME": str(tmp_path)},
        capture_output=True,
        text=True,
    )
    assert done.returncode == 0, done.stderr
    assert done.stdout == (block.output.code if block.output else "")
