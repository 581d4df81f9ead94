"""Figures of debug.md."""

from dataclasses import dataclass

import keras
import numpy as np
from keras import layers

from keras_masking import LeakReport, Trace, trace
from sitekit.drawn.parts import written


@dataclass(frozen=True)
class Picture:
    """The picture that the tools draw of a run, as a panel of a figure."""

    run: Trace | LeakReport
    language: str

    def svg(self) -> str:
        return self.run.to_svg(self.language).rstrip()


def trace_debug(word):
    keras.utils.clear_session(free_memory=False)  # the operator is named as on the page
    ids = keras.Input((None,), dtype="int32", name="ids")
    x = layers.Embedding(9, 2, mask_zero=True, name="words")(ids)
    x = layers.LSTM(2, return_sequences=True, name="lstm")(x * 2)
    outputs = layers.GlobalAveragePooling1D(name="mean")(x)
    run = trace(keras.Model(ids, outputs, name="small"), np.array([[3, 1, 4, 2], [1, 5, 0, 0]]))
    (loss,) = run.losses
    return [[Picture(run, word("language"))]], {"mask": written(loss.inputs[0].mask)}
