"""Keras works out shapes by running a layer on memory as it is, where an index can be anything.

On a desktop that memory is mostly zero; here it is what was there before, and an index in it is out
of bounds. So the numpy backend is given zeros.
"""

import types

import numpy as np
from keras.src.backend.numpy import core


class Numpy(types.ModuleType):
    empty = staticmethod(np.zeros)

    def __getattr__(self, name: str):
        return getattr(np, name)


def mend() -> None:
    core.np = Numpy("numpy")
