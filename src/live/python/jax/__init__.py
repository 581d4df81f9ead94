"""Stands in for JAX, from which Keras's numpy backend takes convolution and windows alone."""

from jax import lax as lax
from jax import monitoring as monitoring
