import keras
import numpy as np
from bad_input import accepts_numbers_as_truth, refuses_bad_masks, refuses_ragged_and_strings
from conftest import array, mask_of, needs, needs_gradients
from keras import layers

from keras_masking import MaskedFlatten

MASK = np.array([[True, True, False], [False, False, False]])


def flattened(x, mask, **options):
    """The result and its mask, as numpy arrays."""
    layer = MaskedFlatten(**options)
    return array(layer(x, mask=mask)), array(layer.compute_mask(keras.ops.array(x), mask))


def test_masked_elements_are_zero_and_the_mask_is_repeated():
    x = np.arange(1, 13, dtype="float32").reshape(2, 3, 2)
    x[0, 2] = np.nan
    flat, mask = flattened(x, MASK)
    np.testing.assert_array_equal(flat, [[1, 2, 3, 4, 0, 0], [0] * 6])
    np.testing.assert_array_equal(mask.astype(int), [[1, 1, 1, 1, 0, 0], [0] * 6])


def test_padding_in_between_keeps_the_order_of_elements():
    x = np.arange(1, 9, dtype="float32").reshape(1, 4, 2)
    flat, mask = flattened(x, np.array([[False, True, False, True]]))
    np.testing.assert_array_equal(flat, [[0, 0, 3, 4, 0, 0, 7, 8]])
    np.testing.assert_array_equal(mask.astype(int), [[0, 0, 1, 1, 0, 0, 1, 1]])


def test_images_as_steps():
    x = np.arange(1, 9, dtype="float32").reshape(1, 2, 2, 2)
    flat, mask = flattened(x, np.array([[True, False]]))
    np.testing.assert_array_equal(flat, [[1, 2, 3, 4, 0, 0, 0, 0]])
    np.testing.assert_array_equal(mask.astype(int), [[1, 1, 1, 1, 0, 0, 0, 0]])


def test_a_mask_over_two_time_axes():
    x = np.arange(1, 9, dtype="float32").reshape(1, 2, 2, 2)
    flat, mask = flattened(x, np.array([[[True, False], [False, True]]]))
    np.testing.assert_array_equal(flat, [[1, 2, 0, 0, 0, 0, 7, 8]])
    np.testing.assert_array_equal(mask.astype(int), [[1, 1, 0, 0, 0, 0, 1, 1]])


def test_steps_without_features():
    flat = MaskedFlatten()(np.array([[5.0, 6.0]]), mask=np.array([[True, False]]))
    np.testing.assert_array_equal(array(flat), [[5, 0]])


def test_without_a_mask_it_is_the_flatten_of_keras():
    x = np.random.default_rng(0).normal(size=(3, 5, 2)).astype("float32")
    flat = MaskedFlatten()(x)
    np.testing.assert_array_equal(array(flat), array(layers.Flatten()(x)))
    assert mask_of(flat) is None


def test_channels_first_orders_elements_and_mask_alike():
    x = np.arange(12, dtype="float32").reshape(1, 2, 2, 3)
    flat, mask = flattened(x, np.array([[True, False]]), data_format="channels_first")
    plain = layers.Flatten(data_format="channels_first")
    expected = np.where(np.array([True, False])[None, :, None, None], x, 0)
    np.testing.assert_array_equal(flat, array(plain(expected)))
    np.testing.assert_array_equal(mask, array(plain(np.isin(x, range(6)))))


def test_the_dtype_of_the_inputs_stays():
    x = np.ones((1, 2, 2), "int32")
    flat = MaskedFlatten(dtype="int32")(x, mask=np.array([[True, False]]))
    assert keras.backend.standardize_dtype(flat.dtype) == "int32"


@needs_gradients
def test_in_front_of_dense_the_mask_ends_and_the_model_trains():
    inputs = keras.Input((3, 2))
    flat = MaskedFlatten(pass_mask=False)(layers.Masking()(inputs))
    assert mask_of(flat) is None
    model = keras.Model(inputs, layers.Dense(1)(flat))
    model.compile("sgd", "mse")
    model.fit(np.ones((4, 3, 2), "float32"), np.ones((4, 1), "float32"), verbose=0)


def test_the_arguments_are_saved():
    layer = MaskedFlatten(data_format="channels_first", pass_mask=False)
    again = MaskedFlatten.from_config(layer.get_config())
    assert (again.data_format, again.pass_mask) == ("channels_first", False)


def test_known_sizes_stay_known():
    for shape, flat in (((4, 3), (None, 12)), ((None, 3), (None, None)), ((4,), (None, 4))):
        assert MaskedFlatten()(keras.Input(shape)).shape == flat
        ids = keras.Input(shape[:1], dtype="int32")
        embedded = layers.Embedding(5, 3, mask_zero=True)(ids)
        known = None if shape[0] is None else shape[0] * 3
        assert MaskedFlatten()(embedded).shape == (None, known)
        assert MaskedFlatten()(embedded)._keras_mask.shape == (None, known)


def test_an_empty_batch_and_an_empty_time_axis():
    for shape, flat in (((0, 3, 2), (0, 6)), ((2, 0, 3), (2, 0))):
        result, mask = flattened(np.zeros(shape, "float32"), np.zeros(shape[:2], bool))
        assert result.shape == flat == mask.shape


def test_bad_input_is_refused():
    refuses_bad_masks(MaskedFlatten())


def test_zeros_and_ones_are_a_mask():
    accepts_numbers_as_truth(MaskedFlatten(), MASK)


@needs["tensorflow"]
def test_ragged_tensors_and_strings_are_refused():
    refuses_ragged_and_strings(MaskedFlatten())
