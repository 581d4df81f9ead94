"""The layers against what they replace, on (64, 512, 256) float32; ratios taken in one run.

Every way runs in turn, and its ratio is that of the medians. Lengths are drawn from 1 to 512. To
reach, compiled: at most 1.25 times the layer of Keras without a mask, convolutions and attention
1.1. The last column, jax compiled only, is memory for the outputs and on the way; TensorFlow does
not tell, and keeps what it once had. It writes docs/shared/costs.json, of which the table on the
page of all layers is made.
"""

import json
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
    """By layer, or layer and case: the layer of Keras without a mask, ours with one, and others."""
    from keras import layers, ops

    import keras_masking
    from keras_masking import MaskedAttentionPooling, MaskedFlatten, MaskedMean

    def repeat_transpose_multiply(x, mask):
        mask = ops.repeat(mask[:, None], x.shape[-1], axis=1)
        mask = ops.cast(ops.transpose(mask, (0, 2, 1)), x.dtype)
        return ops.sum(x * mask, axis=1) / ops.sum(mask, axis=1)

    def beside(name, *args, **options):
        """The layer of Keras without a mask, and ours with one."""
        stock = getattr(layers, name)(*args, **options)
        ours = getattr(keras_masking, f"Masked{name}")(*args, **options)
        for layer in (stock, ours):
            layer.build(SHAPE)
        return {name: lambda x, m: stock(x), f"Masked{name}": lambda x, m: ours(x, mask=m)}

    def over_time(name):
        operation = getattr(ops, name.lower())
        ours = getattr(keras_masking, f"Masked{name}")()
        return {
            f"ops.{name.lower()}": lambda x, m: operation(x, axis=1),
            f"Masked{name}": lambda x, m: ours(x, mask=m),
        }

    def heads(name, *args):
        stock, ours = getattr(layers, name)(*args), getattr(keras_masking, f"Masked{name}")(*args)
        for layer in (stock, ours):
            layer.build(SHAPE, SHAPE)

        def of(layer, x, **masks):
            x = x[:8]  # the scores are as large as the inputs, once for each head
            return layer(x, x, **{key: mask[:8] for key, mask in masks.items()})

        return {
            name: lambda x, m: of(stock, x),
            f"Masked{name}": lambda x, m: of(ours, x, query_mask=m, value_mask=m),
            f"{name} with a mask": lambda x, m: of(stock, x, query_mask=m, value_mask=m),
        }

    mean, flatten, plain_flatten = MaskedMean(), MaskedFlatten(), layers.Flatten()
    pool, attention = layers.GlobalAveragePooling1D(), MaskedAttentionPooling()
    attention.build(SHAPE)
    first, last = keras_masking.MaskedFirst(), keras_masking.MaskedLast()
    keep, drop = keras_masking.KeepMask(), keras_masking.DropMask()
    repeat, plain_repeat = keras_masking.MaskedRepeatVector(256), layers.RepeatVector(256)
    documents = (64, 16, 32, 256)
    distributed = layers.TimeDistributed(pool), keras_masking.MaskedTimeDistributed(pool)

    return {
        "MaskedMean": {
            **over_time("Mean"),
            "MaskedMean, nan in padding": lambda x, m: mean(x, mask=m),
            "GlobalAveragePooling1D": lambda x, m: pool(x, mask=m),
            "repeat, transpose, multiply": repeat_transpose_multiply,
        },
        "MaskedSum": over_time("Sum"),
        "MaskedMax": over_time("Max"),
        "MaskedMin": over_time("Min"),
        "MaskedStd": over_time("Std"),
        "MaskedFirst": {
            "x[:, 0]": lambda x, m: x[:, 0] * 1,
            "MaskedFirst": lambda x, m: first(x, mask=m),
        },
        "MaskedLast": {
            "x[:, -1]": lambda x, m: x[:, -1] * 1,
            "MaskedLast": lambda x, m: last(x, mask=m),
        },
        "MaskedAttentionPooling": {
            "without a mask": lambda x, m: attention(x),
            "MaskedAttentionPooling": lambda x, m: attention(x, mask=m),
        },
        "MaskedSoftmax": beside("Softmax", axis=1),
        "MaskedFlatten": {
            "Flatten": lambda x, m: plain_flatten(x) * 1,
            "MaskedFlatten": lambda x, m: flatten(x, mask=m),
        },
        "MaskedConv1D": beside("Conv1D", 256, 3, padding="same"),
        "MaskedConv1D, strides=2": beside("Conv1D", 256, 3, 2, padding="same"),
        "MaskedDepthwiseConv1D": beside("DepthwiseConv1D", 3, padding="same"),
        "MaskedSeparableConv1D": beside("SeparableConv1D", 256, 3, padding="same"),
        "MaskedConv1DTranspose": beside("Conv1DTranspose", 256, 3, 2, padding="same"),
        "MaskedMaxPooling1D": beside("MaxPooling1D", 2),
        "MaskedAveragePooling1D": beside("AveragePooling1D", 2),
        "MaskedMultiHeadAttention": heads("MultiHeadAttention", 8, 32),
        "MaskedGroupQueryAttention": heads("GroupQueryAttention", 32, 8, 2),
        "MaskedRMSNormalization": beside("RMSNormalization"),
        "MaskedRMSNormalization, axis=[1, 2]": beside("RMSNormalization", [1, 2]),
        "MaskedGroupNormalization": beside("GroupNormalization", 8),
        "MaskedBatchNormalization": beside("BatchNormalization"),
        "MaskedRepeatVector": {
            "RepeatVector": lambda x, m: plain_repeat(x[..., 0]),
            "MaskedRepeatVector": lambda x, m: repeat(x[..., 0], mask=m),
        },
        "MaskedPermute": beside("Permute", (2, 1)),
        "MaskedReshape": beside("Reshape", (512, 8, 32)),
        "MaskedCropping1D": beside("Cropping1D", 1),
        "MaskedZeroPadding1D": beside("ZeroPadding1D", 1),
        "MaskedUpSampling1D": beside("UpSampling1D", 2),
        "MaskedEinsumDense": beside("EinsumDense", "...f,fg->...g", 256),
        "MaskedTimeDistributed": {
            "TimeDistributed": lambda x, m: distributed[0](ops.reshape(x, documents)),
            "MaskedTimeDistributed": lambda x, m: distributed[1](
                ops.reshape(x, documents), mask=ops.reshape(m, documents[:3])
            ),
        },
        "MaskedLambda": beside("Lambda", ops.tanh),
        "KeepMask": {
            "x * 2": lambda x, m: x * 2,
            "KeepMask": lambda x, m: keep(x * 2, mask=m),
        },
        "DropMask": {
            "x * 2": lambda x, m: x * 2,
            "DropMask": lambda x, m: drop(x * 2),
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


def measure(backend: str) -> dict:
    """By mode and layer: the ratio of ours to that of Keras, and the memory of both."""
    import keras
    from keras import ops

    random = np.random.default_rng(0)
    values = random.normal(size=SHAPE).astype("float32")
    kept = np.arange(SHAPE[1]) < random.integers(1, SHAPE[1] + 1, size=SHAPE[0])[:, None]
    x, mask = ops.array(values), ops.array(kept)
    with_nan = ops.array(np.where(kept[..., None], values, np.float32(np.nan)))
    version = sys.modules[backend].__version__
    print(f"\n{backend} {version}, Keras {keras.__version__}", file=sys.stderr)
    found = {}
    for mode, compiled in modes(backend).items():
        for layer, functions in ways().items():
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
            base, ours = list(middle.values())[:2]
            taken = {}
            if mode == "jit":
                taken = {name: memory(function, x, mask) for name, function in functions.items()}
            for name, value in middle.items():
                size = f"{taken[name]:8.2f} of x" if taken else ""
                row = f"  {mode:6}{layer:37}{name:29}{value * 1e3:8.2f} ms{value / base:7.2f}{size}"
                print(row, file=sys.stderr, flush=True)
            found.setdefault(mode, {})[layer] = round(ours / base, 2)
            if taken:
                found.setdefault("memory", {})[layer] = [round(n, 2) for n in taken.values()][:2]
    versions = {"keras": keras.__version__, backend: version}
    return {"versions": versions, "found": found}


def memory(function, x, mask) -> float:
    """What jax sets aside for the outputs and on the way, in sizes of `x`."""
    taken = function.lower(x, mask).compile().memory_analysis()
    return (taken.temp_size_in_bytes + taken.output_size_in_bytes) / x.nbytes


def main() -> None:
    from keras_masking.rendering.files import write
    from sitekit.measured import costs

    machine = f"{platform.machine()}, {os.cpu_count()} cores"
    print(f"{machine}, Python {platform.python_version()}")
    versions, found = {}, {}
    for backend in ("tensorflow", "jax"):
        quiet = {"KERAS_BACKEND": backend, "TF_CPP_MIN_LOG_LEVEL": "3", "CUDA_VISIBLE_DEVICES": ""}
        done = subprocess.run(
            [sys.executable, "-W", "ignore", __file__, backend],
            env=os.environ | quiet,
            stdout=subprocess.PIPE,
            check=True,
        )
        measured = json.loads(done.stdout.splitlines()[-1])
        versions |= measured["versions"]
        found |= measured["found"]
    del found["eager"]
    record = {"machine": machine, "versions": versions, "shape": SHAPE} | found
    write(costs.RECORD, json.dumps(record, indent=1) + "\n")
    for layer, mode in costs.unexplained(record):
        print(f"{layer} is above its goal in mode {mode}, and costs.py does not say why")


if __name__ == "__main__":
    print(json.dumps(measure(sys.argv[1]))) if len(sys.argv) > 1 else main()
