"""Tensors of the numpy backend are arrays, which carry no mask and have no `numpy()`.

On the other backends `layer(x)._keras_mask` is the mask of an output, and `numpy()` its values. So
what layers, losses, metrics and the functions of `keras.ops` and `keras.random` return is an
`Array` here, which has both. Inside, Keras works on plain arrays as it always does.
"""

import functools
import types

import keras
import numpy as np
from keras.src.backend import get_keras_mask


class Array(np.ndarray):
    """An array that can carry a mask of Keras."""

    def numpy(self) -> np.ndarray:
        return np.array(self)


def mend() -> None:
    for owner, name in (
        (keras.Layer, "__call__"),
        (keras.Loss, "__call__"),
        (keras.Metric, "__call__"),
        (keras.Metric, "result"),
    ):
        setattr(owner, name, _returning_arrays(owner.__dict__[name]))
    for module in (keras.ops, keras.random, keras.losses, keras.activations):
        for name, value in vars(module).items():
            if isinstance(value, types.FunctionType) and name != "convert_to_numpy":
                setattr(module, name, _returning_arrays(value))


def _returning_arrays(function):
    @functools.wraps(function)
    def call(*args, **kwargs):
        return _array(function(*args, **kwargs))

    return call


def _array(x):
    kind = type(x)
    if kind is np.ndarray or isinstance(x, np.generic):
        array = np.asarray(x).view(Array)
        if kind is np.ndarray and (mask := get_keras_mask(x)) is not None:
            array._keras_mask = mask
        return array
    if kind in (list, tuple):
        return kind(map(_array, x))
    if kind is dict:
        return {key: _array(value) for key, value in x.items()}
    return x
