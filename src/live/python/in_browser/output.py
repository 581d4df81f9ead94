"""What a reader's code prints, passed on in pieces while it runs."""

import io
import sys
import time
from collections.abc import Callable

LIMIT = 1_000_000  # characters
PAUSE = 0.05  # seconds between pieces


class TooMuch(BaseException):
    """The code printed more than `LIMIT` characters. No `except Exception` of its own stops it."""


class Output:
    """While this is open, `tell(stream, text)` is given what is printed."""

    def __init__(self, tell: Callable[[str, str], None]):
        self._tell = tell
        self._pieces: list[tuple[str, str]] = []
        self._left = LIMIT
        self._told_at = 0.0

    def __enter__(self):
        self._before = sys.stdin, sys.stdout, sys.stderr
        sys.stdin = io.StringIO()  # nobody answers
        sys.stdout, sys.stderr = Stream(self, "out"), Stream(self, "error")
        return self

    def __exit__(self, *exception):
        self.flush()
        sys.stdin, sys.stdout, sys.stderr = self._before

    def write(self, stream: str, text: str) -> None:
        self._pieces.append((stream, text[: self._left]))
        self._left -= len(text)
        if self._left < 0:
            self._left = 0
            self.flush()
            raise TooMuch
        if time.monotonic() - self._told_at > PAUSE:
            self.flush()

    def flush(self) -> None:
        """Tell what has come, the pieces of a stream that follow each other as one."""
        told = ""
        for i, (stream, text) in enumerate(self._pieces):
            told += text
            if i + 1 == len(self._pieces) or self._pieces[i + 1][0] != stream:
                if told:
                    self._tell(stream, told)
                told = ""
        self._pieces.clear()
        self._told_at = time.monotonic()


class Stream(io.TextIOBase):
    """Standard output or error, which is no terminal."""

    encoding, errors = "utf-8", "strict"

    def __init__(self, output: Output, name: str):
        self._output, self._name = output, name

    def writable(self) -> bool:
        return True

    def write(self, text: str) -> int:
        self._output.write(self._name, text)
        return len(text)

    def flush(self) -> None:
        self._output.flush()
