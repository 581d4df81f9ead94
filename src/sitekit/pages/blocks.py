"""Runs the blocks of a page through pytest-codeblocks, each one alone.

pytest-codeblocks reads fences whose whole info string is `python` or `sh` and knows neither
includes nor options, so a page is handed to it in that plain form.
"""

import difflib
import io
import os
import subprocess
import sys
import tempfile
from functools import cache
from pathlib import Path

import pytest
import pytest_codeblocks

from sitekit.pages.alone import Runner
from sitekit.pages.page import Block, Page

_EXPECT = "<!--pytest-codeblocks:expected-output-->\n"


class BlockError(AssertionError):
    """A block that raised; the message names the page, its line and the error."""


def plain(page: Page) -> str:
    """The blocks of a page and their outputs, as pytest-codeblocks wants them."""
    parts = []
    for block in page.blocks:
        parts.append(f"`````{block.fence.language}\n{block.code}`````\n")
        if block.output:
            parts.append(f"{_EXPECT}`````text\n{block.output.code}`````\n")
    return "\n".join(parts)


def extract(page: Page) -> list[tuple[Block, pytest_codeblocks.CodeBlock]]:
    """Each block of the page beside what pytest-codeblocks makes of it."""
    return list(
        zip(
            page.blocks,
            pytest_codeblocks.extract_from_buffer(io.StringIO(plain(page))),
            strict=True,
        )
    )


class BlockItem(pytest_codeblocks.plugin.TestBlock):
    """A block as a test; fails with the page's own line and a diff of the output."""

    def __init__(self, name, parent, block: Block, code: pytest_codeblocks.CodeBlock):
        super().__init__(name, parent, obj=code)
        self.block = block

    def runtest(self):
        check(self.block, self.obj.expected_output)

    def repr_failure(self, excinfo):
        if isinstance(excinfo.value, AssertionError):
            return str(excinfo.value)
        return pytest.Item.repr_failure(self, excinfo)

    def reportinfo(self):
        return self.block.path, self.block.line - 1, self.block.name


def check(block: Block, expected: str | None) -> None:
    """Run the block and compare what it prints, to the letter."""
    printed = run(block)
    if expected is None and printed:
        raise AssertionError(
            f"{block.name}: this block prints, and no output stands under it:\n{printed}"
        )
    if expected is not None and not printed:
        raise AssertionError(
            f"{block.path}:{block.output.line}: an output stands here, but the block prints nothing"
        )
    if expected is not None and printed != expected:
        diff = difflib.unified_diff(
            expected.splitlines(), printed.splitlines(), "on the page", "printed", lineterm="", n=1
        )
        raise AssertionError(
            f"{block.path}:{block.output.line}: the output has changed\n" + "\n".join(diff)
        )


def run(block: Block) -> str:
    """Run a block alone, in an empty folder, and return what it printed.

    A block that is in both languages is run once.

    Raises:
        BlockError: the block raised, warned without showing the warning, or left with an error.
    """
    key = block.fence.language, block.code
    if key not in _printed:
        _printed[key] = _run(block)
    return _printed[key]


_printed: dict[tuple[str, str], str] = {}
_runner = cache(Runner)


def _run(block: Block) -> str:
    printed = _run_shell(block) if block.fence.language == "sh" else _run_python(block)
    # no fence can show that the last line lacks its end
    return printed if not printed or printed.endswith("\n") else printed + "\n"


def _run_python(block: Block) -> str:
    status, printed, error = _runner().run(block.code, str(block.path), block.line)
    if status:
        raise BlockError(error.strip() or f"{block.name}: exit status {status}")
    return printed


def _run_shell(block: Block) -> str:
    path = os.pathsep.join((str(Path(sys.executable).parent), os.environ["PATH"]))
    with tempfile.TemporaryDirectory() as folder:
        done = subprocess.run(
            ["bash", "-euo", "pipefail", "-c", block.code],
            cwd=folder,
            stdin=subprocess.DEVNULL,
            capture_output=True,
            text=True,
            env={**os.environ, "PATH": path},
        )
    if done.returncode:
        raise BlockError(f"{block.name}: exit status {done.returncode}\n{done.stderr.strip()}")
    return done.stdout
