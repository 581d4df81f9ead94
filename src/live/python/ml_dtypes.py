"""Stands in for ml_dtypes, which adds bfloat16, float8 and int4 to numpy.

Keras asks it for the limits of numpy's own types, which numpy knows. The added types are compiled
code: a layer that wants one is told that it is not here.
"""

from numpy import finfo as finfo
from numpy import iinfo as iinfo


def __getattr__(name: str):
    raise AttributeError(f"no {name} in the browser: use float32, float16 or an integer of numpy")
