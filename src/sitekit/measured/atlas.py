"""What the layers and operations of Keras do to a mask, and to what padded steps hold."""

import warnings
from collections.abc import Callable

import keras
import numpy as np
from keras import layers, ops

from keras_masking._keras import get_mask

# A batch of three steps and two, padded to four on the right. Features as many as steps and
# samples would hide a mask that is broadcast along the wrong axis.
LENGTHS = (3, 2)
SHAPE = (2, 4, 6)

Call = Callable[[object], object]

# By what a reader looks for. Each entry makes a fresh call, so that no state is shared.
GROUPS: dict[str, dict[str, Callable[[], Call]]] = {
    "steps": {
        "Dense": lambda: layers.Dense(5),
        "EinsumDense": lambda: layers.EinsumDense("btf,fg->btg", output_shape=(None, 5)),
        "Activation": lambda: layers.Activation("tanh"),
        "Softmax": lambda: layers.Softmax(),
        "Dropout": lambda: layers.Dropout(0.5),
        "SpatialDropout1D": lambda: layers.SpatialDropout1D(0.5),
        "GaussianNoise": lambda: layers.GaussianNoise(0.5),
        "Rescaling": lambda: layers.Rescaling(2.0),
        "Lambda": lambda: layers.Lambda(lambda x: x * 2),
        "TimeDistributed(Dense)": lambda: layers.TimeDistributed(layers.Dense(5)),
    },
    "normalization": {
        "LayerNormalization": lambda: layers.LayerNormalization(),
        "BatchNormalization": lambda: training(layers.BatchNormalization()),
        "GroupNormalization": lambda: layers.GroupNormalization(2),
        "RMSNormalization": lambda: layers.RMSNormalization(),
        "UnitNormalization": lambda: layers.UnitNormalization(),
    },
    "merge": {
        "Add": lambda: both(layers.Add()),
        "Multiply": lambda: both(layers.Multiply()),
        "Average": lambda: both(layers.Average()),
        "Maximum": lambda: both(layers.Maximum()),
        "Concatenate": lambda: both(layers.Concatenate()),
        "Dot": lambda: both(layers.Dot(axes=2)),
    },
    "recurrent": {
        "SimpleRNN": lambda: layers.SimpleRNN(5),
        "LSTM": lambda: layers.LSTM(5),
        "GRU": lambda: layers.GRU(5),
        "LSTM(return_sequences=True)": lambda: layers.LSTM(5, return_sequences=True),
        "Bidirectional(LSTM)": lambda: layers.Bidirectional(layers.LSTM(5)),
        "Bidirectional(LSTM(return_sequences=True))": lambda: layers.Bidirectional(
            layers.LSTM(5, return_sequences=True)
        ),
    },
    "attention": {
        "Attention": lambda: both(layers.Attention()),
        "AdditiveAttention": lambda: both(layers.AdditiveAttention()),
        "MultiHeadAttention": lambda: twice(layers.MultiHeadAttention(2, 3)),
        "GroupQueryAttention": lambda: twice(layers.GroupQueryAttention(3, 2, 1)),
    },
    "pooling": {
        "GlobalAveragePooling1D": lambda: layers.GlobalAveragePooling1D(),
        "GlobalMaxPooling1D": lambda: layers.GlobalMaxPooling1D(),
        "AveragePooling1D": lambda: layers.AveragePooling1D(2),
        "MaxPooling1D": lambda: layers.MaxPooling1D(2),
    },
    "convolution": {
        "Conv1D": lambda: layers.Conv1D(5, 3, padding="same"),
        "DepthwiseConv1D": lambda: layers.DepthwiseConv1D(3, padding="same"),
        "SeparableConv1D": lambda: layers.SeparableConv1D(5, 3, padding="same"),
        "Conv1DTranspose": lambda: layers.Conv1DTranspose(5, 3, padding="same"),
    },
    "reshaping": {
        "Flatten": lambda: layers.Flatten(),
        "Reshape": lambda: layers.Reshape((4, 2, 3)),
        "Permute": lambda: layers.Permute((2, 1)),
        "Cropping1D": lambda: layers.Cropping1D((0, 1)),
        "ZeroPadding1D": lambda: layers.ZeroPadding1D((0, 1)),
        "UpSampling1D": lambda: layers.UpSampling1D(2),
    },
    "no-layer": {
        "x * 2": lambda: lambda x: x * 2,
        "x[:, :3]": lambda: lambda x: x[:, :3],
        "ops.relu(x)": lambda: ops.relu,
        "ops.concatenate([x, x])": lambda: lambda x: ops.concatenate([x, x], axis=-1),
    },
}


def training(layer) -> Call:
    return lambda x: layer(x, training=True)


def both(layer) -> Call:
    return lambda x: layer([x, x])


def twice(layer) -> Call:
    return lambda x: layer(x, x)


def measure() -> dict[str, dict[str, tuple[str, str, str]]]:
    """For each layer: what becomes of the mask, whether it warns, whether padding leaks."""
    return {
        group: {name: outcome(make) for name, make in calls.items()}
        for group, calls in GROUPS.items()
    }


def outcome(make: Callable[[], Call]) -> tuple[str, str, str]:
    """Keys of the catalogue for the three columns, from two runs with different padding."""
    mask = np.arange(SHAPE[1]) < np.array(LENGTHS)[:, None]
    random = np.random.default_rng(0)
    x = random.normal(size=SHAPE).astype("float32")
    other = np.where(mask[..., None], x, random.normal(5, size=SHAPE)).astype("float32")
    results = []
    for values in (x, other):
        keras.utils.set_random_seed(0)
        with warnings.catch_warnings(record=True) as caught:
            warnings.simplefilter("always")
            try:
                result = make()(carrying(values, mask))
            except Exception:  # whatever a layer raises when a mask does not fit
                return "raises", "silent", "unknown"
        results.append(ops.convert_to_numpy(result))
        said = any("does not support masking" in str(w.message) for w in caught)
    kept = "drops" if get_mask(result) is None else "passes"
    over_time = results[0].ndim > 2 and results[0].shape[1] == SHAPE[1]
    if not over_time and kept == "drops" and not said and results[0].ndim == 2:
        kept = "ends"
    valid = (mask if over_time else slice(None),)
    same = np.allclose(results[0][valid], results[1][valid], atol=1e-5)
    return kept, "warns" if said else "silent", "clean" if same else "leaks"


def carrying(values: np.ndarray, mask: np.ndarray):
    """A tensor with exactly this mask, whatever the padded steps hold."""

    class Carry(layers.Layer):
        def call(self, x):
            return ops.copy(x)

        def compute_mask(self, x, previous_mask=None):
            return ops.convert_to_tensor(mask)

    return Carry()(values)
