"""What MaskedMultiHeadAttention has alone; test_attention.py has what both layers share."""

import numpy as np
import pytest
from conftest import array
from keras import layers

from keras_masking import MaskedMultiHeadAttention


def test_equal_scores_give_the_mean_of_the_valid_values():
    layer = MaskedMultiHeadAttention(1, 1, kernel_initializer="ones", use_bias=False)
    x = np.array([[[2.0], [4.0], [9.0]], [[7.0], [9.0], [9.0]]], "float32")
    layer.build(x.shape, x.shape)
    layer.query_dense.kernel.assign(np.zeros((1, 1, 1)))
    mask = np.array([[True, True, False], [False, False, False]])
    masks = {"query_mask": mask, "value_mask": mask}
    result, scores = layer(x, x, return_attention_scores=True, **masks)
    np.testing.assert_allclose(array(result), [[[3], [3], [0]], [[0], [0], [0]]])
    np.testing.assert_allclose(array(scores[0, 0]), [[0.5, 0.5, 0], [0.5, 0.5, 0], [0, 0, 0]])
    np.testing.assert_array_equal(array(scores[1, 0]), np.zeros((3, 3)))
    causal = layer(x, x, use_causal_mask=True, **masks)
    np.testing.assert_allclose(array(causal), [[[2], [3], [0]], [[0], [0], [0]]])


def test_a_source_of_nothing_but_padding_gives_zero():
    x, padding = np.ones((1, 1, 1), "float32"), np.full((1, 2, 1), 5, "float32")
    nothing = np.zeros((1, 2), bool)
    options = {"kernel_initializer": "ones", "bias_initializer": "ones"}
    result = MaskedMultiHeadAttention(1, 1, **options)(x, padding, value_mask=nothing)
    np.testing.assert_array_equal(array(result), [[[0]]])


class TestOtherAxes:
    """Attention over other axes than time: masks of steps have no meaning there."""

    X4 = np.random.default_rng(0).normal(size=(2, 3, 4, 5)).astype("float32")

    @pytest.mark.parametrize("axes", [None, 2, (1, 2), 1])
    def test_masks_of_steps_are_refused(self, axes):
        layer = MaskedMultiHeadAttention(2, 2, attention_axes=axes)
        with pytest.raises(ValueError, match="Masks of steps need .* Received: a query of shape"):
            layer(self.X4, self.X4, value_mask=np.ones((2, 3), bool))

    def test_an_attention_mask_is_that_of_keras(self):
        mask = np.random.default_rng(0).random((2, 3, 1, 4, 4)) < 0.7
        ours, stock = (
            c(2, 2, attention_axes=2) for c in (MaskedMultiHeadAttention, layers.MultiHeadAttention)
        )
        for layer in (ours, stock):
            layer.build(self.X4.shape, self.X4.shape)
        ours.set_weights(stock.get_weights())
        results = [layer(self.X4, self.X4, attention_mask=mask) for layer in (ours, stock)]
        np.testing.assert_array_equal(*map(array, results))
