"""Runs the blocks of a page through pytest-codeblocks, each one alone.

pytest-codeblocks reads fences whose whole info string is `python` or `sh` and knows neither
includes nor options, so a page is handed to it in that plain form.
"""

import difflib
import io
import linecache
import os
import subprocess
import sys
import tempfile
import traceback
import warnings
from pathlib import Path

import pytest
import pytest_codeblocks
from pytest_codeblocks.main import stdout_io

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
    """Run a block alone, from a clean state, and return what it printed.

    A block that is in both languages is run once.

    Raises:
        BlockError: the block raised, warned without showing the warning, or left with an error.
    """
    key = block.fence.language, block.code
    if key not in _printed:
        _printed[key] = _run(block)
    return _printed[key]


_printed: dict[tuple[str, str], str] = {}


def _run(block: Block) -> str:
    with tempfile.TemporaryDirectory() as folder:
        here = Path.cwd()
        os.chdir(folder)
        try:
            printed = _run_shell(block) if block.fence.language == "sh" else _run_python(block)
        finally:
            os.chdir(here)
    # no fence can show that the last line lacks its end
    return printed if not printed or printed.endswith("\n") else printed + "\n"


def _run_shell(block: Block) -> str:
    path = os.pathsep.join((str(Path(sys.executable).parent), os.environ["PATH"]))
    done = subprocess.run(
        ["bash", "-euo", "pipefail", "-c", block.code],
        stdin=subprocess.DEVNULL,
        capture_output=True,
        text=True,
        env={**os.environ, "PATH": path},
    )
    if done.returncode:
        raise BlockError(f"{block.name}: exit status {done.returncode}\n{done.stderr.strip()}")
    return done.stdout


def _run_python(block: Block) -> str:
    reset()
    # Blank lines in front, so that a traceback names the line of the page. Within an include all
    # lines stand for the one that includes them, so the code is numbered from there.
    source = "\n" * block.line + block.code
    filename = str(block.path)
    # TensorFlow and `inspect` read the source of the functions that they are given
    linecache.cache[filename] = (len(source), None, source.splitlines(keepends=True), filename)
    with stdout_io() as printed, warnings.catch_warnings():
        warnings.simplefilter("default")
        warnings.simplefilter("error", UserWarning)
        try:
            exec(compile(source, filename, "exec"), {"__name__": "__main__"})
        except (Exception, SystemExit) as error:
            raise BlockError(_told(block, error, source)) from None
    return printed.getvalue()


def _told(block: Block, error: BaseException, source: str) -> str:
    frames = traceback.extract_tb(error.__traceback__)
    lines = [frame.lineno for frame in frames if frame.filename == str(block.path)]
    if isinstance(error, SyntaxError) and error.lineno:
        lines = [error.lineno]
    line = lines[-1] if lines else block.line
    text = source.splitlines()[line - 1].strip() if lines else ""
    said = "".join(traceback.format_exception_only(error)).strip()
    return f"{block.path}:{line}: {text}\n{said}"


def reset() -> None:
    """Bring numpy, Keras and tf_keras back to the state of a fresh process, and fix the seeds."""
    import keras
    import numpy as np

    np.set_printoptions(**_numpy_defaults)
    keras.config.set_dtype_policy("float32")
    keras.config.set_floatx("float32")
    keras.config.set_epsilon(1e-7)
    keras.config.set_image_data_format("channels_last")
    keras.config.enable_interactive_logging()
    keras.utils.clear_session(free_memory=False)
    keras.utils.get_custom_objects().clear()
    keras.utils.set_random_seed(0)
    if "tf_keras" in sys.modules:
        sys.modules["tf_keras"].backend.clear_session()
    # the package registers its layers when it is imported; the next block imports it afresh
    for name in [name for name in sys.modules if name.split(".")[0] == "keras_masking"]:
        del sys.modules[name]


def _print_options():
    import numpy as np

    return {key: value for key, value in np.get_printoptions().items() if key != "override_repr"}


_numpy_defaults = _print_options()
