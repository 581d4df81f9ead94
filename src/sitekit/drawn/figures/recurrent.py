"""Figures of recurrent.md."""

import keras
import numpy as np
from keras import layers

from keras_masking import trace
from keras_masking.rendering.grid import Arrow
from sitekit.drawn.parts import value_grid, written

X = np.array([[[1], [2], [4], [0], [0]]], dtype="float32")
SUMS = {
    "activation": None,
    "kernel_initializer": "ones",
    "recurrent_initializer": "ones",
    "return_sequences": True,
}


def recurrent_steps(word):
    zeros = layers.SimpleRNN(1, name="zeros", zero_output_for_mask=True, **SUMS)
    both = layers.Bidirectional(layers.SimpleRNN(1, **SUMS), name="both")
    mask, every, zero, pair = _run(layers.SimpleRNN(1, name="every", **SUMS), zeros, both)
    forward, backward = pair[..., 0], pair[..., 1]
    lines = [
        [value_grid(word("input"), X[..., 0], mask)],
        [Arrow("SimpleRNN"), value_grid(word("output"), every[..., 0], mask)],
        [
            Arrow("zero_output_for_mask=True"),
            value_grid(word("output"), zero[..., 0], mask),
        ],
        [
            Arrow("Bidirectional"),
            value_grid(word("forward"), forward, mask),
            value_grid(word("backward"), backward, mask),
        ],
    ]
    facts = {"every": every[..., 0], "zero": zero[..., 0]}
    facts |= {"forward": forward, "backward": backward}
    return lines, {name: written(values) for name, values in facts.items()}


def recurrent_backwards(word):
    mask, turned = _run(layers.SimpleRNN(1, go_backwards=True, name="turned", **SUMS))
    values = turned[..., 0]
    lines = [
        [value_grid(word("input"), X[..., 0], mask)],
        [Arrow("go_backwards=True"), value_grid(word("carried"), values, mask)],
        [value_grid(word("needed"), values, mask[:, ::-1])],
    ]
    return lines, {"values": written(values), "mask": written(mask)}


def _run(*recurrent):
    """The mask on the outputs, which all of them carry, and the outputs."""
    inputs = keras.Input(X.shape[1:])
    masked = layers.Masking()(inputs)
    model = keras.Model(inputs, [layer(masked) for layer in recurrent])
    run = trace(model, X)
    mask, *others = (run[layer.name].mask for layer in recurrent)
    assert all(np.array_equal(mask, other) for other in others)
    outputs = model(X)
    return mask, *map(np.asarray, outputs if isinstance(outputs, (list, tuple)) else [outputs])
