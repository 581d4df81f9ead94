"""What releases of Keras do to a mask, for docs/*/today.md and transformer.md: `make releases`.

Installs each release beside the environment, without its dependencies, and runs on it the few
lines that behaved differently. TensorFlow stays the same.
"""

import os
import subprocess
import sys

from sitekit.measured.beside import beside

RELEASES = ("3.1.1", "3.3.3", "3.4.1", "3.7.0", "3.8.0", "3.9.2", "3.10.0", "3.11.3", "3.12.1")
RELEASES += ("3.13.2", "3.14.1", "3.15.1")


def probe() -> None:
    import warnings

    import keras
    import numpy as np
    from keras import layers, ops

    warnings.simplefilter("ignore")

    def masked(x) -> bool:
        return getattr(x, "_keras_mask", None) is not None

    def post_norm(x, mask, **options):
        attended = layers.MultiHeadAttention(2, 4)(x, x, **options)
        return layers.LayerNormalization()(layers.Add()([x, attended]))

    def by_hand(x, mask):
        return post_norm(x, mask, attention_mask=mask[:, None])

    def pre_norm(x, mask):
        y = layers.LayerNormalization()(x)
        return layers.Add()([x, layers.MultiHeadAttention(2, 4)(y, y)])

    class Block(layers.Layer):
        def __init__(self):
            super().__init__()
            self.supports_masking = True
            self.attend = layers.MultiHeadAttention(2, 4)
            self.norm = layers.LayerNormalization()

        def build(self, shape):
            self.attend.build(shape, shape)
            self.norm.build(shape)

        def call(self, x):
            return self.norm(x + self.attend(x, x))

    def one_layer(x, mask):
        return Block()(x)

    def leaks(block, functional: bool) -> bool:
        def classify(ids):
            keras.utils.set_random_seed(0)
            embedding = layers.Embedding(9, 8, mask_zero=True)
            x, mask = embedding(ids), embedding.compute_mask(ids)
            for _ in range(2):
                x = block(x, mask)
            return layers.GlobalAveragePooling1D()(x, mask=mask)

        inputs = keras.Input((None,), dtype="int32")
        model = keras.Model(inputs, classify(inputs)) if functional else classify
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
        "mask= goes on": masked(rnn(ops.convert_to_tensor(x), mask=mask)),
        "metrics honour masks": mae == 1,
        "cast of a layer keeps the mask": masked(layers.Dense(2, dtype="float16")(marked)),
    }
    for block in (post_norm, by_hand, pre_norm, one_layer):
        found[f"{block.__name__} leaks, one by one"] = leaks(block, functional=False)
        found[f"{block.__name__} leaks, Functional"] = leaks(block, functional=True)
    answers = [f"{name}: {'yes' if holds else 'no'}" for name, holds in found.items()]
    print(f"Keras {keras.__version__}", *answers, sep="\n  ")


def main() -> None:
    for release in RELEASES:
        with beside(f"keras=={release}") as folder:
            quiet = {"TF_CPP_MIN_LOG_LEVEL": "3", "CUDA_VISIBLE_DEVICES": ""}
            subprocess.run(
                [sys.executable, __file__, "probe"],
                env=os.environ | quiet | {"PYTHONPATH": str(folder), "KERAS_BACKEND": "tensorflow"},
                stderr=subprocess.DEVNULL,
                check=True,
            )


if __name__ == "__main__":
    probe() if len(sys.argv) > 1 else main()
