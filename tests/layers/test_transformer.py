"""Stacks of Transformer blocks, of MaskedMultiHeadAttention and what Keras has beside it."""

import keras
import numpy as np
import pytest
from conftest import array, leaking_probes, mask_of
from keras import layers

from keras_masking import (
    MaskedGroupQueryAttention,
    MaskedMean,
    MaskedMultiHeadAttention,
)

pytestmark = pytest.mark.filterwarnings("error:.*destroy the mask")

IDS = np.array([[1, 2, 3, 4], [5, 6, 0, 0]])
LEFT = np.array([[1, 2, 3, 4], [0, 0, 5, 6]])


class Parts:
    """The layers of a block, which `post_norm` and `pre_norm` put together."""

    def __init__(self, attend):
        self.attend, self.adds = attend, (layers.Add(), layers.Add())
        self.norms = layers.LayerNormalization(), layers.LayerNormalization()
        self.dense, self.back = layers.Dense(16, "relu"), layers.Dense(8)

    def post_norm(self, x, **options):
        x = self.norms[0](self.adds[0]([x, self.attend(x, x, **options)]))
        return self.norms[1](self.adds[1]([x, self.back(self.dense(x))]))

    def pre_norm(self, x, **options):
        y = self.norms[0](x)
        x = self.adds[0]([x, self.attend(y, y, **options)])
        return self.adds[1]([x, self.back(self.dense(self.norms[1](x)))])


def multi_head():
    return MaskedMultiHeadAttention(2, 4)


def grouped():
    return MaskedGroupQueryAttention(4, 2, 1)


def through(ids, embed, blocks, mean, order, options):
    x = embed(ids)
    for block in blocks:
        x = getattr(block, order)(x, **options)
    return mean(x)


class Subclassed(keras.Model):
    def __init__(self, *parts):
        super().__init__()
        self.parts = parts
        self.tracked = [layer for block in parts[1] for layer in tracked(block)]

    def call(self, ids):
        return through(ids, *self.parts)


def tracked(block):
    return [block.attend, *block.adds, *block.norms, block.dense, block.back]


def stack(kind, depth, order="post_norm", attention=multi_head, mean=MaskedMean, **options):
    embed = layers.Embedding(9, 8, mask_zero=True)
    blocks = [Parts(attention()) for _ in range(depth)]
    parts = embed, blocks, mean(), order, options
    if kind == "subclassed":
        model = Subclassed(*parts)
        model(IDS)
        return model
    ids = keras.Input((None,), dtype="int32")
    return keras.Model(ids, through(ids, *parts))


DEEP = 6 if keras.backend.backend() == "numpy" else 3  # each block is compiled


@pytest.mark.parametrize(
    ("kind", "depth"), [("functional", 2), ("functional", DEEP), ("subclassed", DEEP)]
)
def test_post_norm_blocks_are_free_of_padding(kind, depth):
    assert leaking_probes(stack(kind, depth), IDS) == set()


@pytest.mark.parametrize(
    "options",
    [
        {"order": "pre_norm"},
        {"attention": grouped},
        {"use_causal_mask": True},
        {"mean": layers.GlobalAveragePooling1D},
    ],
)
def test_so_are_other_blocks(options):
    assert leaking_probes(stack("functional", 2, **options), LEFT) == set()


def test_with_the_attention_of_keras_the_same_stack_leaks():
    def attention():
        return layers.MultiHeadAttention(2, 4)

    assert leaking_probes(stack("functional", 2, attention=attention), IDS) == {
        "alone",
        "length",
        "content",
        "nan",
    }


def test_layer_by_layer_the_mask_arrives_behind_every_block():
    embed = layers.Embedding(9, 8, mask_zero=True)
    blocks = [Parts(multi_head()) for _ in range(6)]
    x = embed(IDS)
    alone = embed(IDS[1:, :2])
    for block in blocks:
        before = x
        x, alone = block.post_norm(x), block.post_norm(alone)
        np.testing.assert_array_equal(mask_of(before), IDS != 0)
        np.testing.assert_array_equal(mask_of(x), IDS != 0)
        np.testing.assert_allclose(array(x)[1, :2], array(alone)[0], rtol=1e-4, atol=1e-5)
