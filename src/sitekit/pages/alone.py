"""Runs blocks as a reader does: each in a process of its own, in an empty folder, without seeds.

Started as a program it forks for each block, since what blocks import takes long to import. It
reads a line of JSON for each: its code, the name and the line of its page, and a folder to run in;
and answers its exit status. What it printed is in the folder's `out`, what was wrong in `error`.
"""

import json
import linecache
import os
import subprocess
import sys
import tempfile
import traceback
import warnings
from pathlib import Path


class Runner:
    """A Python with Keras imported; it ends when this process does."""

    def __init__(self, python=sys.executable, environment=os.environ):
        self._home = tempfile.TemporaryDirectory()
        quiet = {"TF_CPP_MIN_LOG_LEVEL": "3", "CUDA_VISIBLE_DEVICES": ""}
        self._process = subprocess.Popen(
            [python, "-P", __file__],
            cwd=self._home.name,
            env=environment | quiet | {"KERAS_HOME": self._home.name},  # no settings of Keras
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            text=True,
        )

    def run(self, code: str, page: str, line: int) -> tuple[int, str, str]:
        """Run the code of a page's block: its exit status, what it printed, what was wrong."""
        with tempfile.TemporaryDirectory() as folder:
            asked = {"code": code, "page": page, "line": line, "folder": folder}
            print(json.dumps(asked), file=self._process.stdin, flush=True)
            status = int(self._process.stdout.readline())
            out, error = (Path(folder, name).read_text("utf-8") for name in ("out", "error"))
        return status, out, error


def _run(code: str, page: str, line: int, folder: str) -> None:
    os.chdir(folder)
    sys.path.insert(0, folder)
    os.dup2(os.open(os.devnull, os.O_RDONLY), 0)
    for stream, name in ((sys.stdout, "out"), (sys.stderr, "error")):
        os.dup2(os.open(name, os.O_CREAT | os.O_WRONLY), stream.fileno())
    # Blank lines in front, so that a traceback names the line of the page. Within an include all
    # lines stand for the one that includes them, so the code is numbered from there.
    source = "\n" * line + code
    # TensorFlow and `inspect` read the source of the functions that they are given
    linecache.cache[page] = (len(source), None, source.splitlines(keepends=True), page)
    warnings.simplefilter("default")
    warnings.simplefilter("error", UserWarning)
    status = 1
    try:
        exec(compile(source, page, "exec"), {"__name__": "__main__"})
        status = 0
    except BaseException as error:
        sys.stderr.flush()
        os.truncate("error", 0)
        print(_told(error, page, line, source), file=sys.stderr)
    sys.stdout.flush()
    sys.stderr.flush()
    os._exit(status)


def _told(error: BaseException, page: str, line: int, source: str) -> str:
    frames = traceback.extract_tb(error.__traceback__)
    lines = [frame.lineno for frame in frames if frame.filename == page]
    if isinstance(error, SyntaxError) and error.lineno:
        lines = [error.lineno]
    last = lines[-1] if lines else line
    text = source.splitlines()[last - 1].strip() if lines else ""
    said = "".join(traceback.format_exception_only(error)).strip()
    return f"{page}:{last}: {text}\n{said}"


def _serve() -> None:
    import keras  # noqa: F401
    import tensorflow  # noqa: F401

    for line in sys.stdin:
        child = os.fork()
        if not child:
            _run(**json.loads(line))
        print(os.waitstatus_to_exitcode(os.waitpid(child, 0)[1]), flush=True)


if __name__ == "__main__":
    _serve()
