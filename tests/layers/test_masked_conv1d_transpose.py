import numpy as np
from conftest import array
from keras import ops

from keras_masking import MaskedConv1DTranspose

X = np.array([[[1], [2], [9], [4], [9]]], dtype="float32")
MASK = np.array([[True, True, False, False, False]])


def spread(mask=MASK, size=2, strides=2, **options):
    """Each step copied to the outputs that it reaches, and which of them stay."""
    layer = MaskedConv1DTranspose(1, size, strides, kernel_initializer="ones", **options)
    result, left = layer(X, mask=mask), layer.compute_mask(ops.array(X), mask)
    return array(result)[0, :, 0].tolist(), array(left)[0].astype(int).tolist()


def test_each_step_becomes_as_many_as_the_stride():
    assert spread() == ([1, 1, 2, 2, 0, 0, 0, 0, 0, 0], [1, 1, 1, 1, 0, 0, 0, 0, 0, 0])


def test_outputs_that_steps_share():
    sums = [1, 1, 3, 2, 2, 0, 0, 0, 0, 0, 0]
    assert spread(size=3) == (sums, [1, 1, 1, 1, 1, 0, 0, 0, 0, 0, 0])


def test_padding_in_between_keeps_its_place():
    mask = np.array([[True, False, False, True, False]])
    sums = [1, 1, 1, 0, 0, 0, 4, 4, 4, 0, 0]
    assert spread(mask, size=3) == (sums, [1, 1, 1, 0, 0, 0, 1, 1, 1, 0, 0])


def test_all_keeps_outputs_that_no_padding_reaches():
    sums = [0, 1, 3, 2, 0, 0, 0, 0, 0, 0, 0]
    assert spread(size=3, mask_rule="all") == (sums, [0, 1, 1, 1, 0, 0, 0, 0, 0, 0, 0])


def test_outputs_that_no_step_reaches_are_the_bias():
    kept = [1, 1, 1, 1, 0, 0, 0, 0, 0, 0]
    for rule in ("any", "all"):
        result = spread(size=1, bias_initializer="ones", mask_rule=rule)
        assert result == ([2, 1, 3, 1, 0, 0, 0, 0, 0, 0], kept)


def test_the_rule_is_saved():
    layer = MaskedConv1DTranspose(1, 3, mask_rule="all")
    assert MaskedConv1DTranspose.from_config(layer.get_config()).mask_rule == "all"
