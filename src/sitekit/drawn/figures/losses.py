"""Figures of losses.md."""

import keras
import numpy as np

from keras_masking import KeepMask, SampleMeanLoss
from keras_masking.rendering.grid import Arrow
from sitekit.drawn.parts import said, value_grid, written


def loss_weights(word):
    mask = np.array([[1, 1, 1, 1], [1, 0, 0, 0]], dtype=bool)
    errors = np.where(mask, [[1, 1, 1, 1], [2, 0, 0, 0]], 0)
    lines, facts = [[value_grid(word("errors"), errors**2, mask)]], {"errors": written(errors**2)}
    for name, loss in (
        ("MeanSquaredError", keras.losses.MeanSquaredError()),
        ("SampleMeanLoss", SampleMeanLoss("mse")),
    ):

        def mean(x, loss=loss):
            y_pred = KeepMask()(x[..., None].astype("float32"), mask=mask)
            return np.asarray(loss(np.zeros((*x.shape, 1)), y_pred))

        alone = np.eye(mask.size).reshape(mask.size, *mask.shape)
        weights = np.reshape([mean(x) for x in alone], mask.shape).round(3)
        result = mean(errors).round(3)
        lines.append(
            [
                Arrow(name),
                value_grid(word("weights"), weights, mask),
                Arrow(word("sum")),
                value_grid(word("loss"), result),
            ]
        )
        facts[name], facts[f"{name}_loss"] = written(weights), said(result)
    return lines, facts
