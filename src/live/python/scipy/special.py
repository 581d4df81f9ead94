"""Stands in for scipy.special: softmax and gelu of Keras's numpy backend need these."""

import math

import numpy as np


def logsumexp(a, axis=None, keepdims=False):
    a = np.asarray(a)
    largest = np.max(a, axis=axis, keepdims=True)
    largest = np.where(np.isfinite(largest), largest, 0)
    with np.errstate(divide="ignore"):
        total = np.log(np.sum(np.exp(a - largest), axis=axis, keepdims=True))
    out = (total + largest).astype(a.dtype)
    return out if keepdims else np.squeeze(out, axis=axis)


def erf(x):
    return _each(math.erf, x)


def erfc(x):
    return _each(math.erfc, x)


def _each(function, x):
    x = np.asarray(x)
    return np.array([function(value) for value in x.flat], x.dtype).reshape(x.shape)
