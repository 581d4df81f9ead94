"""What the checker costs: every block of the pages under it, against the same code run bare.

Each way runs in a fresh process, in turn, with the imports done before the clock starts. To reach:
a ratio of at most 1.2.
"""

import contextlib
import io
import os
import statistics
import subprocess
import sys
import time
import warnings
from pathlib import Path

REPEATS = 3


def blocks():
    from sitekit.pages.blocks import extract
    from sitekit.pages.page import Site

    for page in Site(Path.cwd()).pages():
        for block, code in extract(page):
            if block.fence.language == "python":
                yield block, code.expected_output


def checked(found) -> None:
    from sitekit.pages.blocks import check

    for block, expected in found:
        check(block, expected)


def bare(found) -> None:
    warnings.simplefilter("ignore")
    for block, _ in found:
        with contextlib.redirect_stdout(io.StringIO()):
            exec(compile(block.code, block.name, "exec"), {"__name__": "__main__"})


def seconds(way: str) -> float:
    done = subprocess.run(
        [sys.executable, __file__, way], capture_output=True, text=True, check=True
    )
    return float(done.stdout)


def main() -> None:
    taken = {"bare": [], "checked": []}
    for _ in range(REPEATS):
        for way in taken:
            taken[way].append(seconds(way))
    middle = {way: statistics.median(times) for way, times in taken.items()}
    for way, value in middle.items():
        print(f"{way:8} {value:6.2f} s")
    print(f"ratio    {middle['checked'] / middle['bare']:6.2f}   (to reach: at most 1.2)")


if __name__ == "__main__":
    if len(sys.argv) == 1:
        main()
    else:
        os.environ.update(TF_CPP_MIN_LOG_LEVEL="3", CUDA_VISIBLE_DEVICES="")
        import tensorflow  # noqa: F401
        import tf_keras  # noqa: F401

        import keras_masking  # noqa: F401

        found = list(blocks())
        start = time.perf_counter()
        {"bare": bare, "checked": checked}[sys.argv[1]](found)
        print(time.perf_counter() - start)
