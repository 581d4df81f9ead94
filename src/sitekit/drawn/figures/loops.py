"""Figures of loops.md."""

import keras
import numpy as np

from keras_masking import KeepMask
from keras_masking.rendering.grid import Arrow
from sitekit.drawn.parts import said, value_grid, written


def loops_weights(word):
    mask = np.array([[1, 1, 1, 1], [1, 0, 0, 0]], dtype=bool)
    errors = np.array([[-1, -1, -1, -1], [-2, 1, 1, 1]])
    mse = keras.losses.MeanSquaredError()

    def loss(errors, mask=None):
        y_pred = errors[..., None].astype("float32")
        y_pred = y_pred if mask is None else KeepMask()(y_pred, mask=mask)
        return float(mse(np.zeros(y_pred.shape), y_pred))

    def of_parts(errors, mask):
        return np.mean([loss(errors[i : i + 1], mask[i : i + 1]) for i in (0, 1)])

    lines, facts = [[value_grid(word("errors"), errors**2, mask)]], {"errors": written(errors**2)}
    for name, given in (
        ("lost", lambda errors: loss(errors)),
        ("kept", lambda errors: loss(errors, mask)),
        ("parts", lambda errors: of_parts(errors, mask)),
    ):
        alone = np.eye(mask.size).reshape(mask.size, *mask.shape)
        weights = np.reshape([given(one) for one in alone], mask.shape).round(3)
        result = np.round(given(errors), 3)
        lines.append(
            [
                Arrow(word(name)),
                value_grid(word("weights"), weights, mask),
                Arrow(word("sum")),
                value_grid(word("loss"), result),
            ]
        )
        facts[name], facts[f"{name}_loss"] = written(weights), said(result)
    return lines, facts
