"""The built runtime in Node, where tests and measurements run code as a page would."""

import json
import subprocess
from collections.abc import Callable
from pathlib import Path
from typing import Any

from live import HERE


class Ended(RuntimeError):
    """Python in the runtime ended, as it does when no memory is left: start another."""


class Runtime:
    """Keras in Node, from the folder that `live.build` wrote; use it in a `with` statement.

    Attributes:
        times: when it had started Node, Python, and unpacked and imported Keras, in milliseconds.
    """

    def __init__(self, folder: Path):
        self._process = subprocess.Popen(
            ["node", str(HERE / "node.mjs"), str(folder)],
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            text=True,
            encoding="utf-8",
        )
        self.times: dict[str, int] = self._answer()["ready"]

    def __enter__(self):
        return self

    def __exit__(self, *exception):
        self.close()

    def close(self) -> None:
        self._process.stdin.close()
        self._process.wait()

    def run(self, code: str, language: str = "en") -> dict:
        """What `run` of in_browser returns, and `out`, `error_out` (what was printed) and `ms`."""
        printed = {"out": "", "error": ""}

        def tell(stream, text):
            printed[stream] += text

        result = self._ask({"code": code, "language": language}, tell)
        return {**result, "out": printed["out"], "error_out": printed["error"]}

    def value(self, expression: str) -> Any:
        """The value of a Python expression, through JSON, outside of any reader's code."""
        return self._ask({"python": expression})

    def mount(self, folder: Path, at: str) -> None:
        """Let Python see a folder of this machine."""
        self._ask({"mount": {"folder": str(folder), "at": at}})

    def _ask(self, request: dict, tell: Callable[[str, str], None] | None = None) -> Any:
        self._process.stdin.write(json.dumps(request) + "\n")
        self._process.stdin.flush()
        while True:
            answer = self._answer()
            if "fatal" in answer:
                raise Ended(answer["fatal"])
            if "result" in answer:
                return answer["result"]
            tell(answer["stream"], answer["text"])

    def _answer(self) -> dict:
        line = self._process.stdout.readline()
        if not line:
            raise Ended(f"Node ended with status {self._process.wait()}.")
        return json.loads(line)
