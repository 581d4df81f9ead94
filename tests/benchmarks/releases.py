"""What releases of Keras do to a mask, for docs/*/today.md: `make releases` prints it.

Installs each release beside the environment, without its dependencies, and runs on it the few
lines that behaved differently. TensorFlow stays the same.
"""

import os
import subprocess
import sys
import tempfile

RELEASES = ("3.3.3", "3.4.1", "3.7.0", "3.8.0", "3.9.2", "3.10.0", "3.11.3", "3.12.1", "3.13.2")
RELEASES += ("3.14.1", "3.15.1")


def probe() -> None:
    import warnings

    import keras
    import numpy as np
    from keras import layers, ops

    warnings.simplefilter("ignore")

    def masked(x) -> bool:
        return getattr(x, "_keras_mask", None) is not None

    def blocks(x):
        for _ in range(2):
            attended = layers.MultiHeadAttention(2, 4)(x, x)
            x = layers.LayerNormalization()(layers.Add()([x, attended]))
        return x

    def embed(ids):
        keras.utils.set_random_seed(0)
        return layers.Embedding(9, 8, mask_zero=True)(ids)

    def one_by_one(ids):
        return ops.sum(ops.where((ids != 0)[..., None], blocks(embed(ids)), 0.0), axis=1)

    inputs = keras.Input((None,), dtype="int32")
    pooled = layers.GlobalAveragePooling1D()(blocks(embed(inputs)))
    functional = keras.Model(inputs, pooled)

    def leaks(model) -> bool:
        short, long = np.array([[1, 2, 3]]), np.array([[1, 2, 3, 0, 0, 0]])
        return bool(ops.max(ops.abs(model(short) - model(long))) > 1e-3)

    x = np.array([[[1, 2], [3, 4], [0, 0]]], dtype="float32")
    marked, mask = layers.Masking()(x), layers.Masking().compute_mask(x)
    rnn = layers.SimpleRNN(3, return_sequences=True)
    model = keras.Sequential([layers.Masking(), layers.Dense(1, kernel_initializer="zeros")])
    model.compile(loss="mse", metrics=["mae"])
    _, mae = model.evaluate(x, np.array([[[1.0], [1.0], [9.0]]]), verbose=0)
    found = {
        "Add keeps masks": masked(layers.Add()([marked, marked])),
        "blocks leak, layers called one by one": leaks(one_by_one),
        "blocks leak, Functional": leaks(functional),
        "mask= goes on": masked(rnn(ops.convert_to_tensor(x), mask=mask)),
        "metrics honour masks": mae == 1,
        "cast of a layer keeps the mask": masked(layers.Dense(2, dtype="float16")(marked)),
    }
    answers = [f"{name}: {'yes' if holds else 'no'}" for name, holds in found.items()]
    print(f"Keras {keras.__version__}", *answers, sep="\n  ")


def main() -> None:
    for release in RELEASES:
        with tempfile.TemporaryDirectory() as folder:
            uv = [sys.executable, "-m", "uv", "pip", "install", "--quiet", "--no-deps"]
            subprocess.run([*uv, "--target", folder, f"keras=={release}"], check=True)
            quiet = {"TF_CPP_MIN_LOG_LEVEL": "3", "CUDA_VISIBLE_DEVICES": ""}
            subprocess.run(
                [sys.executable, __file__, "probe"],
                env=os.environ | quiet | {"PYTHONPATH": folder, "KERAS_BACKEND": "tensorflow"},
                stderr=subprocess.DEVNULL,
                check=True,
            )


if __name__ == "__main__":
    probe() if len(sys.argv) > 1 else main()
