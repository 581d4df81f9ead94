"""Input that every layer refuses, with the words of the error."""

import keras
import numpy as np
import pytest

X = np.ones((2, 3, 4), dtype="float32")

BAD_MASKS = {
    "another length": (np.ones((2, 4), bool), r"mask of shape \(2, 4\) for inputs of shape \(2, 3"),
    "another batch": (np.ones((1, 3), bool), r"mask of shape \(1, 3\) for inputs of shape \(2, 3"),
    "one axis": (np.ones(2, bool), r"mask of shape \(2,\) for inputs of shape \(2, 3, 4\)"),
    "too many axes": (np.ones((2, 3, 4, 1), bool), r"mask of shape \(2, 3, 4, 1\) for inputs"),
    "features first": (np.ones((3, 2), bool), r"mask of shape \(3, 2\) for inputs of shape"),
    "lengths": (np.array([[1, 2, 3], [0, 0, 1]]), "dtype int.* with other values. Compare first"),
    "weights": (np.full((2, 3), 0.5, "float32"), "dtype float32 with other values"),
    "nan": (np.full((2, 3), np.nan, "float32"), "dtype float32 with other values"),
    "complex numbers": (np.ones((2, 3), "complex64"), "dtype complex64 with other values"),
}


def refuses_bad_masks(layer):
    for mask, message in BAD_MASKS.values():
        with pytest.raises(ValueError, match=message):
            layer(X, mask=mask)


def refuses_bad_axes(layer_class):
    for axis in (0, 3, -3, -4, 1.0, "1", None, True, (1, 2)):
        with pytest.raises(ValueError, match=r"`axis` must be .* Received: axis=.* \(2, 3, 4\)"):
            layer_class(axis=axis)(X)


def refuses_ragged_and_strings(layer):
    import tensorflow as tf

    with pytest.raises(ValueError, match="Received: a ragged tensor .* Turn"):
        layer.call(tf.ragged.constant([[1.0, 2.0], [3.0]]))
    with pytest.raises(ValueError, match="Received: strings of shape .* Turn strings"):
        layer.call(tf.constant([["a", "b"]]))


def accepts_numbers_as_truth(layer, mask):
    """0 and 1 of any dtype mean what booleans mean."""
    expected = keras.ops.convert_to_numpy(layer(X, mask=mask))
    for dtype in ("int8", "int32", "uint8", "float16", "float32"):
        result = keras.ops.convert_to_numpy(layer(X, mask=mask.astype(dtype)))
        np.testing.assert_array_equal(result, expected)
