"""What differs between the backends of Keras, recorded, since PyTorch has an environment of its
own.

`KERAS_BACKEND=torch python -m sitekit.measured.backends` writes the part of one backend, and
`make backends` those of all.
"""

import json
from collections.abc import Callable

import keras
import numpy as np
from keras import layers, ops

from keras_masking._keras import get_mask
from keras_masking.rendering.files import write
from sitekit import ROOT

RECORD = ROOT / "docs/shared/backends.json"
BACKENDS = {"tensorflow": "TensorFlow", "jax": "JAX", "numpy": "NumPy", "torch": "PyTorch"}

X = np.array([[[1], [2], [6]]], "float32")
Y = np.array([[[1, 3], [1, 3]]], "float32")
MASK = np.array([[True, False, True]])


def changed_in_place():
    x = layers.Masking(2.0)(X)
    x += 1
    return get_mask(x)


def metric_of_fit():
    """The mean absolute error, which is 0 but for the padded step."""
    dense = layers.Dense(1, use_bias=False, kernel_initializer="ones")
    model = keras.Sequential([keras.Input((None, 1)), layers.Masking(2.0), dense])
    model.compile("sgd", "mae", metrics=["mae"])
    y = np.where(MASK[..., None], X, 9)
    return model.fit(X, y, verbose=0).history["mae"][0]


def only_padding():
    """From a state of 6, as in the next batch of a stateful layer."""
    mask, state = np.zeros((1, 3), bool), [np.full((1, 1), 6, "float32")]
    return layers.SimpleRNN(1)(X, mask=mask, initial_state=state)


def attended():
    x = np.ones((1, 2, 1, 1), "float32")
    pairs = np.ones((1, 1, 2, 2), bool)
    return ops.shape(ops.dot_product_attention(x, x, x, bias=0.0 * pairs, mask=pairs))


def normalized():
    return ops.round(ops.reshape(layers.LayerNormalization(axis=1)(Y), -1), 2)


# As a reader would write it: `x` has three steps of one feature and `mask` an entry for each, and
# `y` two equal steps of two features.
CASES: dict[str, Callable[[], object]] = {
    "Dense(1)(x).numpy()": lambda: layers.Dense(1)(X).numpy().shape,
    "np.asarray(Dense(1)(x))": lambda: np.asarray(layers.Dense(1)(X)).shape,
    "ops.convert_to_numpy(Dense(1)(x))": lambda: ops.convert_to_numpy(layers.Dense(1)(X)).shape,
    "x[..., 0] * mask": lambda: tensor(X)[..., 0] * tensor(MASK),
    "ops.multiply(x[..., 0], mask)": lambda: ops.multiply(X[..., 0], MASK),
    "1 - mask": lambda: 1 - tensor(MASK),
    "~mask": lambda: ~tensor(MASK),
    "mask == None": lambda: tensor(MASK) == None,  # noqa: E711
    "x[:, ::-1, 0]": lambda: tensor(X)[:, ::-1, 0],
    "ops.flip(x, axis=1)[..., 0]": lambda: ops.flip(tensor(X), axis=1)[..., 0],
    "x += 1; get_keras_mask(x)": changed_in_place,
    'fit(x, y) with metrics=["mae"]': metric_of_fit,
    "SimpleRNN(1)(x, initial_state=6)": only_padding,
    "Embedding(3, 1)([[9]])": lambda: layers.Embedding(3, 1)(np.array([[9]]))[..., 0],
    'AveragePooling1D(4, 3, padding="same")': lambda: layers.AveragePooling1D(4, 3, padding="same")(
        X
    )[..., 0],
    "LayerNormalization(axis=1)(y)": normalized,
    "ops.count_nonzero(y, axis=1)": lambda: ops.shape(ops.count_nonzero(Y, axis=1)),
    "BatchNormalization()(x, mask=mask)": lambda: ops.shape(
        layers.BatchNormalization()(X, mask=MASK, training=True)
    ),
    "ops.dot_product_attention(…, bias, mask)": attended,
    "ops.max(x[:0], axis=1, initial=0.0)": lambda: ops.shape(ops.max(X[:0], axis=1, initial=0.0)),
}


def tensor(x: np.ndarray):
    return ops.convert_to_tensor(x)


def outcome(name: str) -> str:
    """What a case gives, or the error that it raises."""
    try:
        found = CASES[name]()
    except Exception as error:  # each backend has its own
        return type(error).__name__
    return str(ops.convert_to_numpy(found) if ops.is_tensor(found) else found)


def record() -> dict[str, dict[str, str]]:
    """By backend, and there by case."""
    return json.loads(RECORD.read_text(encoding="utf-8"))


def main() -> None:
    known = record() if RECORD.exists() else {}
    known[keras.backend.backend()] = {name: outcome(name) for name in CASES}
    ordered = {backend: known[backend] for backend in BACKENDS if backend in known}
    write(RECORD, json.dumps(ordered, indent=1, ensure_ascii=False) + "\n")


if __name__ == "__main__":
    main()
