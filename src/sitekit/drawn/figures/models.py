"""Figures of models.md."""

import keras
import numpy as np
from keras import layers, ops

from keras_masking import trace
from keras_masking.rendering.grid import Arrow
from sitekit.drawn.parts import kept, marked, mask_grid, value_grid, written


def padding_mask(word):
    lengths = np.array([[4], [2]])
    mask = np.arange(4) < lengths
    ids = np.where(mask, np.arange(1, 9).reshape(2, 4), 0)
    inputs = {
        name: keras.Input((None,), dtype="int32", name=name)
        for name in ("token_ids", "padding_mask")
    }
    x = layers.Embedding(9, 8)(inputs["token_ids"])
    attend = layers.MultiHeadAttention(2, 4)
    y = attend(x, x, attention_mask=inputs["padding_mask"][:, None])
    batch = {"token_ids": ids, "padding_mask": mask.astype("int32")}
    run = trace(keras.Model(inputs, y), batch)
    seen = next(x for x in run if x.class_name == "MultiHeadAttention").explicit["attention_mask"]
    line = [
        value_grid("token_ids", ids, mask),
        value_grid("padding_mask", batch["padding_mask"], mask),
        Arrow("[:, None]"),
        mask_grid(f"attention_mask {seen.shape}", seen[:, 0]),
    ]
    return [line], {"ids": written(ids), "mask": written(mask)}


def reshaped_mask(word):
    mask = np.arange(4) < np.array([[4], [2]])
    reshaped = np.asarray(ops.reshape(mask, (4, 2)))
    turned = np.asarray(ops.transpose(mask))
    kinds = np.where(reshaped != turned, "wrong", kept(reshaped))
    line = [
        mask_grid(f"{word('mask')} {mask.shape}", mask),
        mask_grid(f"transpose {turned.shape}", turned),
        marked(f"reshape {reshaped.shape}", reshaped, kinds),
    ]
    facts = {"mask": written(mask), "turned": written(turned), "reshaped": written(reshaped)}
    return [line], facts
