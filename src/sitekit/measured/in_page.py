"""Which Python blocks of the pages run in a page, found by running each: docs/shared/live.json.

    python -m sitekit.measured.in_page

A block that prints there what its page says has no entry. Every other one has the name of a reason
in src/live/reasons.toml. What no rule below explains keeps the reason that a person gave it in the
record, and without one it is told here, with what it printed.
"""

import difflib
import json
import re
import sys
import tempfile
from collections.abc import Iterable
from pathlib import Path

from live import build
from live.node import Ended, Runtime
from sitekit import ROOT
from sitekit.pages.page import LANGUAGES, Block, Site, block_id

RECORD = ROOT / "docs/shared/live.json"

# what a block that fails says at its end; the first that fits
FAILS = {
    "framework": r"No module named '(tensorflow|tf_keras|jax|torch|keras\.src\.backend)|TensorFlow",
    "package": r"No module named",
    "fit": r"not implemented for NumPy backend",
    "fails": r"",
}
# what to write in place of what a page says, to have what is printed
PRINTS = {
    "named": [("· tensorflow ·", "· numpy ·")],
    "integers": [("int64", "int32")],
    "tensor": [(r"tf\.Tensor\((.*), shape=.*\)", r"\1"), (r"<dtype: '(\w+)'>", r"\1")],
}


def main() -> None:
    recorded = json.loads(RECORD.read_text(encoding="utf-8"))
    record, untold = {}, []
    with tempfile.TemporaryDirectory() as folder:
        if not build.build(Path(folder)):
            sys.exit(1)
        for block, result in ran(blocks(), Path(folder)):
            key = block_id(block.code)
            if not same(block, result):
                record[key] = reason(block, result) or recorded.get(key)
                if record[key] is None:
                    untold.append(f"{key} {block.name}\n{difference(block, result)}")
    if untold:
        print("\n".join(untold))
        sys.exit(f"Give each of these a reason in {RECORD.relative_to(ROOT)}, and run this again.")
    text = json.dumps(dict(sorted(record.items())), indent=2)
    RECORD.write_text(text + "\n", encoding="utf-8")


def blocks() -> list[Block]:
    """The Python blocks of both languages, each code once."""
    site = Site(ROOT)
    found = {
        block.code.rstrip(): block
        for language in LANGUAGES
        for name in site.names(language)
        for block in site.page(language, name).blocks
        if block.fence.language == "python"
    }
    return list(found.values())


def ran(these: Iterable[Block], folder: Path):
    """Each block with what came of it in the runtime, a new one where Python ended."""
    runtime = Runtime(folder)
    for block in these:
        try:
            yield block, runtime.run(block.code)
        except Ended as error:
            yield block, {"status": "ended", "error": str(error), "out": ""}
            runtime = Runtime(folder)
    runtime.close()


def same(block: Block, result: dict) -> bool:
    return result["status"] == "done" and result["out"] == documented(block)


def documented(block: Block) -> str:
    return block.output.code if block.output else ""


def reason(block: Block, result: dict) -> str | None:
    """The name of the reason, where a rule tells it."""
    if result["status"] != "done":
        told = result["error"].strip().splitlines()[-1:] or [""]
        return next(name for name, pattern in FAILS.items() if re.search(pattern, told[0]))
    for name, changes in PRINTS.items():
        text = documented(block)
        for pattern, replacement in changes:
            text = re.sub(pattern, replacement, text)
        if text == result["out"]:
            return name
    return None


def difference(block: Block, result: dict) -> str:
    lines = (text.splitlines() for text in (documented(block), result["out"]))
    return "\n".join(difflib.unified_diff(*lines, "on the page", "printed", n=0, lineterm=""))


if __name__ == "__main__":
    main()
