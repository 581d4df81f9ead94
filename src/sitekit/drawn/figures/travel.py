"""Figures of travel.md."""

import keras
import numpy as np
import tf_keras
from keras import layers

from keras_masking import trace
from keras_masking.rendering.grid import Arrow, Note
from sitekit.drawn.parts import MEANS, mask_grid, mask_of, no_mask, steps, value_grid, written


def travel_chain(word):
    x = keras.Input((4, 2))
    product = layers.Dense(3)(layers.Masking()(x)) * 1
    run = trace(keras.Model(x, layers.Dense(3)(product)), MEANS[:2])
    (_, a), (_, b), (_, c), (_, d) = steps(run, word, Multiply="x * 1")
    return [a + b, c + d], {"mask": written(run.losses[0].inputs[0].mask)}


def merge_masks(word):
    ids = [np.array([[1, 2, 0, 0]]), np.array([[3, 4, 1, 0]])]

    def added(k):
        inputs = [k.Input((4,), dtype="int32") for _ in ids]
        a, b = map(k.layers.Embedding(5, 2, mask_zero=True), inputs)
        return inputs, k.layers.Add(name="both")([a, b]), k.layers.Add(name="one")([a, b * 1])

    inputs, *sums = added(keras)
    run = trace(keras.Model(inputs, sums), ids)
    a, b = (x.mask for x in run["both"].inputs)
    both = run["both"].mask
    assert run["one"].loses
    inputs, *sums = added(tf_keras)
    old, old_one = map(mask_of, tf_keras.Model(inputs, sums)(ids))
    lines = [
        [mask_grid("a", a), mask_grid("b", b)],
        [Arrow("Keras 3: Add"), mask_grid("a, b", both), no_mask(word("unmasked"), (1, 4))],
        [
            Arrow("tf_keras: Add"),
            mask_grid("a, b", old),
            mask_grid(word("unmasked"), old_one),
        ],
    ]
    facts = {"a": written(a), "b": written(b), "both": written(both), "old": written(old)}
    return lines, facts | {"old_one": written(old_one)}


def rnn_masks(word):
    x = np.array([[[1.0], [2.0], [0.0], [4.0]]], dtype="float32")
    options = {"activation": None, "kernel_initializer": "ones", "recurrent_initializer": "ones"}
    inputs = keras.Input((4, 1))
    masked = layers.Masking()(inputs)
    every = layers.SimpleRNN(1, return_sequences=True, name="every", **options)(masked)
    last = layers.SimpleRNN(1, name="last", **options)(masked)
    model = keras.Model(inputs, [every, last])
    run = trace(model, x)
    assert run["last"].mask is None
    outputs, end = map(np.asarray, model(x))
    mask = run["every"].mask
    lines = [
        [value_grid(word("input"), x[..., 0], run["every"].inputs[0].mask)],
        [
            Arrow("return_sequences=True"),
            value_grid(word("output"), outputs[..., 0], mask),
            mask_grid(word("mask"), mask),
        ],
        [Arrow("return_sequences=False"), value_grid(word("output"), end), Note(word("none"))],
    ]
    return lines, {
        "every": written(outputs[..., 0]),
        "mask": written(mask),
        "last": written(end),
    }
