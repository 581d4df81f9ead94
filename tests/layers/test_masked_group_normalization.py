import numpy as np
import pytest
from conftest import array, mask_of
from keras import layers
from keras_twin import (
    its_weights_load,
    masks_are_judged,
    without_a_mask_it_is_the_layer_of_keras,
)

from keras_masking import MaskedGroupNormalization

X = np.array([[[1, 3, 10, 30], [1, 3, 10, 30], [9, 9, 9, 9]]], "float32")
MASK = np.array([[True, True, False]])


def test_each_group_by_hand():
    """The first group has mean 2 and deviation 1, the second 20 and 10."""
    layer = MaskedGroupNormalization(2, epsilon=0)
    step = [-1, 1, -1, 1]
    np.testing.assert_allclose(array(layer(X, mask=MASK)), [[step, step, [0] * 4]], atol=1e-6)
    np.testing.assert_array_equal(mask_of(layer(layers.Masking(9)(X))), MASK)


def test_weights_do_not_bring_padding_back():
    layer = MaskedGroupNormalization(4, beta_initializer="ones", gamma_initializer="ones")
    result = array(layer(X, mask=MASK))
    np.testing.assert_allclose(result, [[[1] * 4, [1] * 4, [0] * 4]], atol=1e-5)


def test_a_fully_padded_row_is_zero():
    layer = MaskedGroupNormalization(2, beta_initializer="ones")
    assert not array(layer(np.full_like(X, np.nan), mask=np.zeros((1, 3), bool))).any()


@pytest.mark.parametrize("options", [{}, {"center": False}, {"scale": False}, {"axis": 1}])
def test_it_is_the_layer_of_keras(options, tmp_path):
    without_a_mask_it_is_the_layer_of_keras(MaskedGroupNormalization(2, **options))
    its_weights_load(MaskedGroupNormalization(2, **options), tmp_path)


@pytest.mark.parametrize(
    ("groups", "options"),
    [(2, {"axis": 2}), (-1, {"center": False, "scale": False})],
)
def test_where_all_steps_are_valid_it_gives_what_keras_gives(groups, options):
    """Images as steps, so that a group spans more than time; `axis=2` is in front of the last."""
    x = np.random.default_rng(0).normal(1, 2, (2, 3, 4, 6)).astype("float32")
    plain, ours = (
        made(groups, beta_initializer="ones", **options)
        for made in (layers.GroupNormalization, MaskedGroupNormalization)
    )
    expected = array(plain(x))
    result = array(ours(x, mask=np.ones((2, 3), bool)))
    np.testing.assert_allclose(result, expected, rtol=1e-4, atol=1e-5)


def test_a_large_mean_and_half_precision():
    x = np.array([[[1000], [1002], [0]]], "float32")
    layer = MaskedGroupNormalization(1, epsilon=0)
    np.testing.assert_allclose(array(layer(x, mask=MASK))[0, :2], [[-1], [1]], rtol=1e-3)
    layer = MaskedGroupNormalization(1, epsilon=0, dtype="float16")
    np.testing.assert_allclose(array(layer(60 * x, mask=MASK))[0, :2], [[-1], [1]], rtol=1e-2)


def test_bad_input_is_refused():
    masks_are_judged(MaskedGroupNormalization(2))
    with pytest.raises(ValueError, match=r"must name the features.* Received: axis=1 for inputs"):
        MaskedGroupNormalization(1, axis=1)(X, mask=MASK)


def test_an_empty_batch():
    assert array(MaskedGroupNormalization(2)(X[:0], mask=MASK[:0])).shape == (0, 3, 4)
