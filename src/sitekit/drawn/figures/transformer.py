"""Figures of transformer.md."""

from collections.abc import Callable
from functools import cache

import keras
import numpy as np
from keras import layers

from keras_masking import LeakReport, find_leaks
from keras_masking.rendering.grid import Note
from sitekit.drawn.parts import mask_grid, no_mask, steps, written

PADDED = np.array([[1, 2, 3, 4], [5, 6, 0, 0]])


def _attend(x, **options):
    return layers.MultiHeadAttention(2, 4)(x, x, **options)


def _post_norm(x, mask):
    return layers.LayerNormalization()(layers.Add()([x, _attend(x)]))


def _masked_by_hand(x, mask):
    return layers.LayerNormalization()(layers.Add()([x, _attend(x, attention_mask=mask[:, None])]))


def _pre_norm(x, mask):
    return layers.Add()([x, _attend(layers.LayerNormalization()(x))])


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


def _one_layer(x, mask):
    return Block()(x)


@cache
def _two_blocks(block: Callable) -> LeakReport:
    """What two Transformer blocks on a padded batch do with its mask."""
    ids = keras.Input((None,), dtype="int32")
    embedding = layers.Embedding(9, 8, mask_zero=True)
    x, mask = embedding(ids), embedding.compute_mask(ids)
    for _ in range(2):
        x = block(x, mask)
    return find_leaks(keras.Model(ids, layers.GlobalAveragePooling1D()(x)), PADDED)


def transformer_trace(word):
    report = _two_blocks(_post_norm)
    leaking = {leak.call for leak in report.leaks}
    lines, mask = [], report.trace.calls[0].mask
    for call, items in steps(report.trace, word):
        if any(x.taken for x in call.inputs):
            items.append(no_mask(word("taken"), mask.shape))
        if call.index in leaking:
            items.append(Note(word("leaks")))
        lines.append(items)
        if call.index in leaking:
            return lines, {"mask": written(mask)}
    raise AssertionError("two post-norm blocks no longer leak")


def remedies(word):
    lines = []
    for key, block in (
        ("post-norm", _post_norm),
        ("by-hand", _masked_by_hand),
        ("pre-norm", _pre_norm),
        ("one-layer", _one_layer),
    ):
        report = _two_blocks(block)
        _, second = (x for x in report.trace if x.class_name == "MultiHeadAttention")
        by_hand = second.explicit.get("attention_mask")
        seen = second.inputs[0].mask if by_hand is None else by_hand[:, 0]
        lines.append(
            [
                no_mask(word(key), PADDED.shape) if seen is None else mask_grid(word(key), seen),
                Note(word("free" if report.ok else "leaks")),
            ]
        )
    return lines, {"mask": written(seen)}
