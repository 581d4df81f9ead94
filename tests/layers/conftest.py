"""What the tests of all layers share."""

import itertools

import keras
import numpy as np
import pytest
from hypothesis import strategies as st
from hypothesis.extra import numpy as hnp
from keras import ops
from keras.src.backend import get_keras_mask

from keras_masking import find_leaks

if keras.backend.backend() == "tensorflow":
    from tensorflow.config import experimental

    experimental.enable_tensor_float_32_execution(False)  # which a GPU would use

# What layers compute is written once for all backends: hypothesis looks for examples where it is
# quick, and the others repeat the first of them.
EXAMPLES = 60 if keras.backend.backend() == "numpy" else 3  # each shape is compiled


def crossed(*axes) -> list[tuple]:
    """Every combination on numpy. On a backend that compiles each, every value of the second axis
    with each of the first, and the values of the others in turn."""
    if keras.backend.backend() == "numpy":
        return list(itertools.product(*axes))
    first, second, *rest = map(list, axes)
    return [
        (a, b, *(axis[(i + j) % len(axis)] for axis in rest))
        for i, a in enumerate(first)
        for j, b in enumerate(second)
    ]


def some(of: list) -> list:
    """All of them on numpy; on a backend that compiles each every third, where these differ in what
    they compute and not in how."""
    return of[:: 1 if keras.backend.backend() == "numpy" else 3]


def array(x) -> np.ndarray:
    return ops.convert_to_numpy(x)


def boolean(mask):
    return None if mask is None else np.asarray(mask).astype(bool)


def mask_of(x):
    mask = get_keras_mask(x)
    return None if mask is None else array(mask)


def gradient(layer, x, mask):
    """Of the sum of squares of the result, for the inputs."""
    return gradient_of(layer)(x, mask)


def gradient_of(layer):
    """A function of inputs and mask. Kept, jax compiles it once for each shape."""

    def loss(x, mask):
        return ops.sum(layer(x, mask=mask) ** 2)

    if keras.backend.backend() == "jax":
        import jax

        compiled = jax.jit(jax.grad(loss))

        def of(x, mask):
            if not getattr(layer, "built", True):
                layer.build(x.shape)
            return array(compiled(x, mask))

        return of
    return lambda x, mask: slopes(lambda x: loss(x, mask), x)[0]


def slopes(function, x, *variables):
    """The gradients of the number `function(x)`, for `x` and for each variable; not on jax, which
    wants a function of all of them."""
    weights = [v.value for v in variables]
    if keras.backend.backend() == "torch":
        import torch

        x = ops.convert_to_tensor(x).requires_grad_()
        found = torch.autograd.grad(function(x), [x, *weights])
    else:
        import tensorflow as tf

        x = tf.constant(x)
        with tf.GradientTape() as tape:
            tape.watch(x)
            value = function(x)
        found = tape.gradient(value, [x, *weights])
    return [array(g) for g in found]


def leaking_probes(model, x):
    """The probes of `find_leaks` that find a leak or a hazard. All must run, but that of gradients
    where there are none."""
    report = find_leaks(model, x)
    ran = {probe.name for probe in report.probes if probe.ran}
    assert ran | {"gradients"} == {probe.name for probe in report.probes}, report
    return {leak.probe for leak in (*report.leaks, *report.hazards)}


@st.composite
def padded_batches(draw, *shapes, largest=1000):
    """A batch and its mask: numbers in valid steps, anything in padded ones."""
    shape = draw(st.sampled_from(shapes))
    numbers = st.floats(-largest, largest, width=32)
    anything = numbers | st.sampled_from([np.nan, np.inf, -np.inf])
    mask = draw(hnp.arrays(bool, shape[:2]))
    valid = draw(hnp.arrays("float32", shape, elements=numbers))
    padding = draw(hnp.arrays("float32", shape, elements=anything))
    return np.where(mask.reshape(*shape[:2], *[1] * (len(shape) - 2)), valid, padding), mask


@pytest.fixture(autouse=True)
def fresh():
    keras.config.set_dtype_policy("float32")
    keras.utils.set_random_seed(0)


@pytest.fixture(autouse=True, scope="module")
def forgotten():
    """What jax has compiled for a module is used by no other, and the more it keeps the slower."""
    yield
    if keras.backend.backend() == "jax":
        import jax

        jax.clear_caches()


needs = {
    backend: pytest.mark.skipif(
        keras.backend.backend() != backend, reason=f"asks for the {backend} backend"
    )
    for backend in ("tensorflow", "jax", "torch")
}
needs_gradients = pytest.mark.skipif(
    keras.backend.backend() == "numpy", reason="the numpy backend has no gradients"
)
