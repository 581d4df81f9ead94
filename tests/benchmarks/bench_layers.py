"""The layers against what they replace, on (64, 512, 256) float32; ratios taken in one run.

Every way runs in turn, and its ratio is that of the medians. Lengths are drawn from 1 to 512. To
reach: compiled, MaskedMean at most 1.3 times `keras.ops.mean` without a mask, the others 1.25.
WHY says what is above that.
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

# what costs more than it is meant to, and why
WHY = {
    "max": "the selection is a pass of its own, except where XLA fuses it; jax on a CPU does not",
    "min": "as max",
    "std": "two selections, each a pass of its own except where XLA fuses it",
    "first": "the index of the step has to be found; the rest is one read a sequence",
    "last": "as first",
    "softmax": "two selections, each a pass of its own except where XLA fuses it",
    "heads": "the scores are selected from in passes of their own, except where XLA fuses them",
    "grouped": "as heads",
    "conv": "two selections, each a pass of its own except where XLA fuses it",
    "conv, strides 2": "as conv, and the steps are moved to where the windows begin",
    "transposed": "as conv, and the outputs are twice as many as the inputs",
    "depthwise": "as conv, beside little arithmetic",
    "max windows": "the steps are selected from and moved, two passes beside one",
    "mean windows": "as max windows",
    "attend": "the selection in front is a pass of its own, except where XLA fuses it",
    "rms": "the selection in front is a pass of its own, except where XLA fuses it",
    "rms over time": "as rms, and the valid entries are counted",
    "groups": "two selections, each a pass of its own except where XLA fuses it",
    "batch": "a selection in front and one behind, each a pass of its own in a graph of TensorFlow",
    "permute": "padded steps become 0; the layer of Keras only moves, or renames axes for nothing",
    "reshape": "as permute",
    "crop": "as permute",
    "pad": "as permute",
    "repeat": "as permute",
    "einsum": "a selection in front and one behind, so that no bias stands in padded steps",
    "lambda": "as einsum",
    "documents": "Keras's pooling multiplies by the mask, and the selection in front is a pass too",
}


def ways():
    """By group: each way to compute the same, the first is what the others are compared with."""
    from keras import layers, ops

    import keras_masking
    from keras_masking import MaskedFlatten, MaskedMean, MaskedSum

    def repeat_transpose_multiply(x, mask):
        mask = ops.repeat(mask[:, None], x.shape[-1], axis=1)
        mask = ops.cast(ops.transpose(mask, (0, 2, 1)), x.dtype)
        return ops.sum(x * mask, axis=1) / ops.sum(mask, axis=1)

    mean, total, flatten = MaskedMean(), MaskedSum(), MaskedFlatten()
    pool, plain_flatten = layers.GlobalAveragePooling1D(), layers.Flatten()
    largest, smallest = keras_masking.MaskedMax(), keras_masking.MaskedMin()
    deviation = keras_masking.MaskedStd()
    first, last = keras_masking.MaskedFirst(), keras_masking.MaskedLast()
    softmax, plain_softmax = keras_masking.MaskedSoftmax(axis=1), layers.Softmax(axis=1)
    attention = keras_masking.MaskedAttentionPooling()
    attention.build(SHAPE)
    heads = [c(8, 32) for c in (layers.MultiHeadAttention, keras_masking.MaskedMultiHeadAttention)]
    grouped = [
        c(32, 8, 2) for c in (layers.GroupQueryAttention, keras_masking.MaskedGroupQueryAttention)
    ]
    for layer in (*heads, *grouped):
        layer.build(SHAPE, SHAPE)

    def attention_of(x, layer, **masks):
        x = x[:8]  # the scores are as large as the inputs, once for each head
        return layer(x, x, **{name: mask[:8] for name, mask in masks.items()})

    def beside(name, *args, **options):
        """The layer of Keras without a mask, and ours with one."""
        stock = getattr(layers, name)(*args, **options)
        ours = getattr(keras_masking, f"Masked{name}")(*args, **options)
        for layer in (stock, ours):
            layer.build(SHAPE)
        return {
            f"{name}, no mask": lambda x, m: stock(x),
            f"Masked{name}": lambda x, m: ours(x, mask=m),
        }

    keep, drop = keras_masking.KeepMask(), keras_masking.DropMask()
    documents, pooling = (64, 16, 32, 256), layers.GlobalAveragePooling1D()
    distributed = layers.TimeDistributed(pooling), keras_masking.MaskedTimeDistributed(pooling)

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
        "max": {
            "ops.max, no mask": lambda x, m: ops.max(x, axis=1),
            "MaskedMax": lambda x, m: largest(x, mask=m),
        },
        "min": {
            "ops.min, no mask": lambda x, m: ops.min(x, axis=1),
            "MaskedMin": lambda x, m: smallest(x, mask=m),
        },
        "std": {
            "ops.std, no mask": lambda x, m: ops.std(x, axis=1),
            "MaskedStd": lambda x, m: deviation(x, mask=m),
        },
        "first": {
            "x[:, 0]": lambda x, m: x[:, 0] * 1,
            "MaskedFirst": lambda x, m: first(x, mask=m),
        },
        "last": {
            "x[:, -1]": lambda x, m: x[:, -1] * 1,
            "MaskedLast": lambda x, m: last(x, mask=m),
        },
        "softmax": {
            "Softmax, no mask": lambda x, m: plain_softmax(x),
            "MaskedSoftmax": lambda x, m: softmax(x, mask=m),
        },
        "attend": {
            "no mask": lambda x, m: attention(x),
            "MaskedAttentionPooling": lambda x, m: attention(x, mask=m),
        },
        "heads": {
            "no mask": lambda x, m: attention_of(x, heads[0]),
            "MultiHeadAttention": lambda x, m: attention_of(x, heads[0], value_mask=m),
            "MaskedMultiHeadAttention": lambda x, m: attention_of(
                x, heads[1], query_mask=m, value_mask=m
            ),
        },
        "grouped": {
            "no mask": lambda x, m: attention_of(x, grouped[0]),
            "GroupQueryAttention": lambda x, m: attention_of(
                x, grouped[0], query_mask=m, value_mask=m
            ),
            "MaskedGroupQueryAttention": lambda x, m: attention_of(
                x, grouped[1], query_mask=m, value_mask=m
            ),
        },
        "conv": beside("Conv1D", 256, 3, padding="same"),
        "conv, strides 2": beside("Conv1D", 256, 3, 2, padding="same"),
        "depthwise": beside("DepthwiseConv1D", 3, padding="same"),
        "separable": beside("SeparableConv1D", 256, 3, padding="same"),
        "transposed": beside("Conv1DTranspose", 256, 3, 2, padding="same"),
        "max windows": beside("MaxPooling1D", 2),
        "mean windows": beside("AveragePooling1D", 2),
        "keep": {
            "x * 2": lambda x, m: x * 2,
            "KeepMask": lambda x, m: keep(x * 2, mask=m),
        },
        "drop": {
            "x * 2": lambda x, m: x * 2,
            "DropMask": lambda x, m: drop(x * 2),
        },
        "rms": beside("RMSNormalization"),
        "rms over time": beside("RMSNormalization", [1, 2]),
        "groups": beside("GroupNormalization", 8),
        "batch": beside("BatchNormalization"),
        "permute": beside("Permute", (2, 1)),
        "reshape": beside("Reshape", (512, 8, 32)),
        "crop": beside("Cropping1D", 1),
        "pad": beside("ZeroPadding1D", 1),
        "repeat": beside("UpSampling1D", 2),
        "einsum": beside("EinsumDense", "...f,fg->...g", 256),
        "lambda": beside("Lambda", ops.tanh),
        "documents": {
            "TimeDistributed, no mask": lambda x, m: distributed[0](ops.reshape(x, documents)),
            "MaskedTimeDistributed": lambda x, m: distributed[1](
                ops.reshape(x, documents), mask=ops.reshape(m, documents[:3])
            ),
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
                if value > 1.25 * base and group in WHY:
                    print(f"{'':18}{WHY[group]}")


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
