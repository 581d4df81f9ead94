"""What MaskedGroupQueryAttention has alone; test_attention.py has what both layers share."""

import numpy as np
import pytest
from conftest import array, mask_of
from keras import layers, ops

from keras_masking import MaskedGroupQueryAttention, MaskedMultiHeadAttention

X = np.random.default_rng(0).normal(size=(2, 4, 3)).astype("float32")
MASK = np.array([[True, True, False, True], [False, False, False, False]])


def test_it_is_multi_head_attention_with_heads_of_keys_and_values_repeated():
    grouped = MaskedGroupQueryAttention(2, 4, 2, bias_initializer="glorot_uniform")
    multi = MaskedMultiHeadAttention(4, 2)
    for layer in (grouped, multi):
        layer.build(X.shape, X.shape)
    for name in ("_query_dense", "_key_dense", "_value_dense", "_output_dense"):
        weights = [array(x) for x in getattr(grouped, name).weights]
        if name in ("_key_dense", "_value_dense"):
            weights = [np.repeat(w, 2, axis=-2) for w in weights]
        getattr(multi, name).set_weights(weights)
    x = np.where(MASK[..., None], X, np.float32(np.nan))
    one, other = (layer(x, x, query_mask=MASK, value_mask=MASK) for layer in (grouped, multi))
    np.testing.assert_allclose(array(one), array(other), rtol=1e-5, atol=1e-6)
    assert np.all(array(one)[~MASK] == 0)


def test_what_the_layer_of_keras_does_to_masks():
    attend = layers.GroupQueryAttention(2, 4, 2)
    x = layers.Masking()(np.where(MASK[..., None], X, 0))
    with pytest.warns(UserWarning, match="destroy the mask"):
        result = attend(x, x)
    np.testing.assert_array_equal(mask_of(result), MASK)
    assert mask_of(attend(X, X, query_mask=MASK)) is None
    nan = ops.where(MASK[..., None], X, np.nan)
    assert not np.isfinite(array(attend(nan, nan, value_mask=MASK))[0]).any()
