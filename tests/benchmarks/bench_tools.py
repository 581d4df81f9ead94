"""What a trace costs beside a forward pass, and how it grows; ratios taken in one run.

A model of 50 layers, Dense, LayerNormalization and activations in turn, on (32, 128, 256) float32
with a mask, and on a batch too small to hide anything behind. To reach: a trace at most 1.5 times
an eager forward pass on the first. Then models of up to 1,000 layers: milliseconds a layer stay
the same where the cost is linear. The time of `find_leaks` is told in forward passes, which on so
small a batch are nearly all overhead; a test counts its work. At last a bidirectional LSTM of two
layers, in seconds, on batches of 4 to 256 samples of as many lengths as fit: samples of one length
are run together, and of 16 lengths at most, on JAX of 4, so that the work does not grow with the
batch for long. To reach on the smallest:
1 s on TensorFlow, 5 s on JAX, which compiles each shape anew, 0.3 s on numpy.
"""

import os
import platform
import statistics
import subprocess
import sys
import time

import numpy as np

REPEATS = 9
BATCHES = {"(32, 128, 256)": (32, 128, 256), "(2, 4, 8)": (2, 4, 8)}
SIZES = (10, 50, 100, 300, 1000)
RECURRENT = ((4, 12), (16, 12), (64, 12), (256, 12), (16, 48), (16, 96))


def model_of(count: int, features: int):
    import keras
    from keras import layers

    inputs = keras.Input((None,), dtype="int32")
    x = layers.Embedding(100, features, mask_zero=True)(inputs)
    for i in range(count - 1):
        kind = i % 3
        if kind == 0:
            x = layers.Dense(features)(x)
        elif kind == 1:
            x = layers.LayerNormalization()(x)
        else:
            x = layers.Activation("relu")(x)
    return keras.Model(inputs, x)


def recurrent_model():
    import keras
    from keras import layers

    inputs = keras.Input((None,), dtype="int32")
    x = layers.Embedding(100, 16, mask_zero=True)(inputs)
    x = layers.Bidirectional(layers.LSTM(16, return_sequences=True))(x)
    x = layers.Bidirectional(layers.LSTM(16))(x)
    return keras.Model(inputs, layers.Dense(1)(x))


def batch_of(samples: int, steps: int):
    random = np.random.default_rng(0)
    ids = random.integers(1, 100, (samples, steps)).astype("int32")
    ids[np.arange(steps) >= random.integers(1, steps + 1, samples)[:, None]] = 0
    return ids


def alternate(ways: dict, repeats: int = REPEATS) -> dict[str, float]:
    """Median seconds of each, taken in turn, after two rounds to warm up."""
    times = {name: [] for name in ways}
    for repeat in range(-2, repeats):
        for name, way in ways.items():
            start = time.perf_counter()
            way()
            if repeat >= 0:
                times[name].append(time.perf_counter() - start)
    return {name: statistics.median(taken) for name, taken in times.items()}


def measure(backend: str) -> None:
    import keras
    from keras import ops

    from keras_masking import find_leaks, trace

    print(f"\n{backend}, Keras {keras.__version__}")
    for name, (samples, steps, features) in BATCHES.items():
        model, ids = model_of(50, features), batch_of(samples, steps)
        took = alternate(
            {
                "forward": lambda model=model, ids=ids: ops.convert_to_numpy(model(ids)),
                "trace": lambda model=model, ids=ids: trace(model, ids),
            }
        )
        ratio = took["trace"] / took["forward"]
        print(
            f"  50 layers on {name:15} forward {took['forward'] * 1e3:7.1f} ms   "
            f"trace {took['trace'] * 1e3:7.1f} ms   ratio {ratio:.2f}"
        )
    sys.setrecursionlimit(10_000)  # Keras builds the graph of a Functional model by recursion
    samples, steps, features = BATCHES["(2, 4, 8)"]
    ids = batch_of(samples, steps)
    for count in SIZES:
        model = model_of(count, features)
        took = alternate(
            {
                "forward": lambda model=model: ops.convert_to_numpy(model(ids)),
                "trace": lambda model=model: trace(model, ids),
                "leaks": lambda model=model: find_leaks(model, ids),
            },
            repeats=3,
        )
        print(
            f"  {count:5} layers on (2, 4, 8)   trace {took['trace'] / count * 1e3:6.3f} ms a layer"
            f"   find_leaks {took['leaks'] / took['forward']:5.1f} forward passes"
        )
    model = recurrent_model()
    for samples, steps in RECURRENT:
        ids = batch_of(samples, steps)
        took = alternate(
            {
                "forward": lambda ids=ids: ops.convert_to_numpy(model(ids)),
                "leaks": lambda ids=ids: find_leaks(model, ids),
            },
            repeats=3,
        )
        print(
            f"  two bidirectional LSTMs on {(samples, steps)!s:10} forward {took['forward']:6.3f} s"
            f"   find_leaks {took['leaks']:6.3f} s   ratio {took['leaks'] / took['forward']:5.1f}"
        )


def main() -> None:
    print(f"{platform.machine()}, {os.cpu_count()} cores, Python {platform.python_version()}")
    for backend in ("tensorflow", "jax", "numpy"):
        quiet = {"KERAS_BACKEND": backend, "TF_CPP_MIN_LOG_LEVEL": "3", "CUDA_VISIBLE_DEVICES": ""}
        subprocess.run(
            [sys.executable, __file__, backend],
            env=os.environ | quiet,
            stderr=subprocess.DEVNULL,
            check=True,
        )


if __name__ == "__main__":
    measure(sys.argv[1]) if len(sys.argv) > 1 else main()
