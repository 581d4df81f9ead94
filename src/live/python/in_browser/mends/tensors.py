"""Tensors of the numpy backend are arrays, which carry no mask and have no `numpy()`.

On TensorFlow `layer(x)._keras_mask` is the mask of an output, and `numpy()` its values. So what
layers, losses, metrics and the functions of Keras return is an `Array` here, which has both.
Inside, Keras works on plain arrays as it always does.
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
    ):
        setattr(owner, name, _returning_arrays(owner.__dict__[name]))
    for module, name in ((keras.layers, "compute_mask"), (keras.metrics, "result")):
        for owner in {c for x in vars(module).values() for c in getattr(x, "__mro__", ())}:
            if name in owner.__dict__:
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
    if kind is np.ndarray:
        array = x.view(Array)
        if (mask := get_keras_mask(x)) is not None:
            array._keras_mask = _array(mask)
        return array
    if isinstance(x, np.generic):
        return np.asarray(x).view(Array)
    if kind in (list, tuple):
        return kind(map(_array, x))
    if kind is dict:
        return {key: _array(value) for key, value in x.items()}
    return x
