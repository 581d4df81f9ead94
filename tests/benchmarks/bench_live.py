"""What the runtime in the page costs: bytes on the wire, and time in Node on this machine.

    python tests/benchmarks/bench_live.py

A browser's times are those of bench_pages.py.
"""

import gzip
import statistics
import tempfile
from pathlib import Path

from live import build
from live.node import Runtime

STARTS = 5
RUNS = 9
PLAIN = "print(1)"
LAYER = """
import numpy as np
from keras import layers
x = layers.Embedding(9, 2, mask_zero=True)(np.array([[1, 2, 0]]))
print(layers.LSTM(3)(x).shape)
"""
LEAKS = """
import keras
import numpy as np
from keras import layers
from keras_masking import find_leaks
ids = keras.Input((None,), dtype="int32")
x = layers.Embedding(9, 2, mask_zero=True)(ids)
model = keras.Model(ids, layers.GlobalAveragePooling1D()(x * 2))
print(find_leaks(model, np.array([[3, 1, 4], [1, 5, 0]])).verdict)
"""


def main() -> None:
    with tempfile.TemporaryDirectory() as name:
        folder = Path(name)
        if not build.build(folder):
            return
        print(f"on the wire: {sum(wire(folder / name) for name in build.made()) / 1e6:.2f} MB")
        starts = []
        for _ in range(STARTS):
            with Runtime(folder) as runtime:
                starts.append(runtime.times["imported"] - runtime.times["start"])
        print(f"start: {statistics.median(starts) / 1000:.2f} s")
        with Runtime(folder) as runtime:
            for what, code in (("print", PLAIN), ("a layer", LAYER), ("find_leaks", LEAKS)):
                first, *later = (runtime.run(code)["ms"] for _ in range(RUNS))
                print(f"{what}: {first} ms at first, then {statistics.median(later):.0f} ms")


def wire(path: Path) -> int:
    """How many bytes of a file travel: hosts compress scripts, and .bin is compressed already."""
    data = path.read_bytes()
    return len(data if path.suffix == ".bin" else gzip.compress(data))


if __name__ == "__main__":
    main()
