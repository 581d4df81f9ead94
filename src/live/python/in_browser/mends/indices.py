"""numpy's own indices have 32 bits here, and it refuses those of 64 bits that Keras makes."""

import functools

import numpy as np


def mend() -> None:
    np.take = _narrowed(np.take)
    np.repeat = _narrowed(np.repeat)


def _narrowed(function):
    @functools.wraps(function)
    def call(a, indices, *args, **kwargs):
        if getattr(indices, "dtype", None) in (np.int64, np.uint64):
            indices = np.asarray(indices).astype(np.intp)
        return function(a, indices, *args, **kwargs)

    return call
