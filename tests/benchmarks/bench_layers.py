"""The layers against what they replace, on (64, 512, 256) float32; ratios taken in one run.

Every way runs in turn, and its ratio is that of the medians. Lengths are drawn from 1 to 512. To
reach: compiled, MaskedMean at most 1.3 times `keras.ops.mean` without a mask.
"""

import os
import platform
import statistics
import subprocess
import sys
import time

import numpy as np

SHAPE = (64, 512, 256)
REPEATS = 15


def ways():
    """By group: each way to compute the same, the first is what the others are compared with."""
    from keras import layers, ops

    from keras_masking import MaskedFlatten, MaskedMean, MaskedSum

    def repeat_transpose_multiply(x, mask):
        mask = ops.repeat(mask[:, None], x.shape[-1], axis=1)
        mask = ops.cast(ops.transpose(mask, (0, 2, 1)), x.dtype)
        return ops.sum(x * mask, axis=1) / ops.sum(mask, axis=1)

    mean, total, flatten = MaskedMean(), MaskedSum(), MaskedFlatten()
    pool, plain_flatten = layers.GlobalAveragePooling1D(), layers.Flatten()
    return {
        "mean": {
            "ops.mean, no mask": lambda x, m: ops.mean(x, axis=1),
            "MaskedMean": lambda x, m: mean(x, mask=m),
            "MaskedMean, nan in padding": lambda x, m: mean(x, mask=m),
            "GlobalAveragePooling1D": lambda x, m: pool(x, mask=m),
            "repeat, transpose, multiply": repeat_transpose_multiply,
        },
        "sum": {
            "ops.sum, no mask": lambda x, m: ops.sum(x, axis=1),
            "MaskedSum": lambda x, m: total(x, mask=m),
        },
        "flatten": {
            "Flatten, no mask": lambda x, m: plain_flatten(x) * 1,
            "MaskedFlatten": lambda x, m: flatten(x, mask=m),
        },
    }


def modes(backend: str):
    """Ways to compile a function; eager ones call it as it is."""
    if backend == "jax":
        import jax

        return {"eager": lambda f: f, "jit": jax.jit}
    import tensorflow as tf

    return {
        "eager": lambda f: f,
        "graph": lambda f: tf.function(f, autograph=False),
        "XLA": lambda f: tf.function(f, jit_compile=True, autograph=False),
    }


def measure(backend: str) -> None:
    import keras
    from keras import ops

    random = np.random.default_rng(0)
    values = random.normal(size=SHAPE).astype("float32")
    kept = np.arange(SHAPE[1]) < random.integers(1, SHAPE[1] + 1, size=SHAPE[0])[:, None]
    x, mask = ops.array(values), ops.array(kept)
    with_nan = ops.array(np.where(kept[..., None], values, np.float32(np.nan)))
    print(f"\n{backend} {sys.modules[backend].__version__}, Keras {keras.__version__}")
    for mode, compiled in modes(backend).items():
        for group, functions in ways().items():
            functions = {name: compiled(function) for name, function in functions.items()}
            times = {name: [] for name in functions}
            for repeat in range(-2, REPEATS):  # the first two compile and warm up
                for name, function in functions.items():
                    given = with_nan if "nan" in name else x
                    start = time.perf_counter()
                    np.asarray(function(given, mask))
                    if repeat >= 0:
                        times[name].append(time.perf_counter() - start)
            middle = {name: statistics.median(taken) for name, taken in times.items()}
            base = next(iter(middle.values()))
            for name, value in middle.items():
                memory = temporary(functions[name], x, mask) if mode == "jit" else ""
                ratio = f"{value / base:6.2f}"
                print(f"  {mode:6} {group:8} {name:28} {value * 1e3:8.2f} ms {ratio} {memory}")


def temporary(function, x, mask) -> str:
    """Memory that jax sets aside beside inputs and outputs, as a share of the inputs."""
    size = function.lower(x, mask).compile().memory_analysis().temp_size_in_bytes
    return f"   temporary {size / x.nbytes:.3f} of x"


def main() -> None:
    print(f"{platform.machine()}, {os.cpu_count()} cores, Python {platform.python_version()}")
    for backend in ("tensorflow", "jax"):
        quiet = {"KERAS_BACKEND": backend, "TF_CPP_MIN_LOG_LEVEL": "3", "CUDA_VISIBLE_DEVICES": ""}
        subprocess.run(
            [sys.executable, __file__, backend],
            env=os.environ | quiet,
            stderr=subprocess.DEVNULL,
            check=True,
        )


if __name__ == "__main__":
    measure(sys.argv[1]) if len(sys.argv) > 1 else main()
