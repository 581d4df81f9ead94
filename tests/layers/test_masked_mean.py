import numpy as np
from conftest import array
from keras import layers

from keras_masking import MaskedMean


def test_the_batch_of_the_article():
    x = np.array(
        [
            [[10, 10], [0, 0], [0, 0], [0, 0]],
            [[10, 10], [20, 20], [0, 0], [0, 0]],
            [[10, 10], [20, 20], [30, 30], [0, 0]],
            [[10, 10], [20, 20], [30, 30], [40, 40]],
        ],
        dtype="float32",
    )
    result = array(MaskedMean()(x, mask=layers.Masking().compute_mask(x)))
    np.testing.assert_array_equal(result, [[10, 10], [15, 15], [20, 20], [25, 25]])


def test_integers_are_averaged_as_floats():
    assert array(MaskedMean()(np.array([[1, 2, 9]]), mask=np.array([[True, True, False]]))) == 1.5


def test_a_long_row_of_half_precision_does_not_overflow():
    x = np.full((1, 4000, 1), 1000, "float16")
    mask = np.arange(4000)[None] < 3000
    result = array(MaskedMean(dtype="float16")(x, mask=mask))
    assert (result.dtype, result[0, 0]) == ("float16", 1000)
