import keras
import numpy as np
import pytest
from conftest import array
from keras import layers

from keras_masking import MaskedFlatten, MaskedSum


@pytest.mark.parametrize("flatten", [True, False])
def test_the_index_batch_of_the_article(flatten):
    ids = np.array([[1, 0, 0, 0], [1, 2, 0, 0], [1, 2, 3, 0], [1, 2, 3, 4]])
    x = layers.Embedding(5, 3, mask_zero=True, embeddings_initializer="ones")(ids)
    if flatten:
        result = array(MaskedSum()(MaskedFlatten()(x)))
    else:
        result = array(MaskedSum()(x)).sum(axis=-1)
    np.testing.assert_array_equal(result, [3, 6, 9, 12])


def test_the_elements_of_valid_steps_are_summed_not_others():
    x = np.arange(12, dtype="float32").reshape(1, 4, 3)
    mask = np.array([[True, True, False, False]])
    layer = MaskedFlatten()
    flat_mask = layer.compute_mask(keras.ops.array(x), mask)
    assert array(MaskedSum()(layer(x, mask=mask), mask=flat_mask)) == 15


def test_a_long_row_of_half_precision_is_added_up_in_float32():
    x = np.ones((1, 5000, 1), "float16")  # where float16 stays at 2048
    mask = np.arange(5000)[None] < 4000
    result = array(MaskedSum(dtype="float16")(x, mask=mask))
    assert (result.dtype, result[0, 0]) == ("float16", 4000)
