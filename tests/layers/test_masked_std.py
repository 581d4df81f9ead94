import numpy as np
import pytest
from conftest import array, gradient, needs_gradients

from keras_masking import MaskedStd

MASK = np.array([[True, True, True, False]])


def test_it_divides_by_the_number_of_steps_and_not_by_one_less():
    x = np.array([[[1], [2], [6], [9]]], "float32")
    np.testing.assert_allclose(array(MaskedStd()(x, mask=MASK)), [[(14 / 3) ** 0.5]], rtol=1e-6)


def test_a_large_mean_does_not_swallow_small_distances():
    x = 1e4 + np.array([[[1], [2], [3], [9]]], "float32")
    np.testing.assert_allclose(array(MaskedStd()(x, mask=MASK)), [[(2 / 3) ** 0.5]], rtol=1e-6)


@pytest.mark.parametrize("mask", [None, np.arange(4000)[None] < 3000], ids=["no mask", "mask"])
def test_squares_that_half_precision_cannot_hold(mask):
    x = np.where(np.arange(4000) % 2, 1000, -1000).astype("float16")[None, :, None]
    result = array(MaskedStd(dtype="float16")(x, mask=mask))
    assert (result.dtype, result[0, 0]) == ("float16", 1000)


@needs_gradients
@pytest.mark.parametrize("mask", [None, MASK], ids=["no mask", "mask"])
def test_where_nothing_varies_the_gradient_is_0(mask):
    assert np.all(gradient(MaskedStd(), np.ones((1, 4, 2), "float32"), mask) == 0)
