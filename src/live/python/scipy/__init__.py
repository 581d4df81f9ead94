"""Stands in for SciPy, of which Keras's numpy backend uses a few functions for masking."""

from scipy import linalg as linalg
from scipy import special as special
