import keras
import numpy as np
from bad_input import refuses_ragged_and_strings
from conftest import EXAMPLES, array, gradient, mask_of, needs, needs_gradients, padded_batches
from hypothesis import given, settings
from keras import layers
from keras_twin import compiled, without_a_mask_it_is_the_layer_of_keras

from keras_masking import KeepMask, MaskedFlatten, MaskedMean, MaskedRepeatVector

X = np.array([[1, 2, np.nan], [3, np.inf, 9]], "float32")
MASK = np.array([[True, True, False], [True, False, False]])
EXPECTED = [[[1, 2, 0]] * 2, [[3, 0, 0]] * 2]


def test_by_hand_compiled_too():
    layer = MaskedRepeatVector(2)
    for function in [layer, *compiled(lambda x, mask: layer(x, mask=mask), (None, None))]:
        np.testing.assert_array_equal(array(function(X, mask=MASK)), EXPECTED)
    mask = array(layer.compute_mask(X, MASK))
    np.testing.assert_array_equal(mask, np.stack([MASK, MASK], axis=1))


@settings(deadline=None, max_examples=EXAMPLES, derandomize=True)
@given(batch=padded_batches((2, 3), (0, 3)))
def test_it_equals_a_plain_loop_on_any_input(batch):
    x, mask = batch
    layer = MaskedRepeatVector(2)
    result, left = array(layer(x, mask=mask)), array(layer.compute_mask(x, mask))
    assert result.shape == left.shape == (len(x), 2, 3)
    for i, step, element in np.ndindex(result.shape):
        assert left[i, step, element] == mask[i, element]
        assert result[i, step, element] == (x[i, element] if mask[i, element] else 0)


def test_saved_and_loaded_it_gives_the_same(tmp_path):
    flat = keras.Input((None, 1))
    flat_of = MaskedFlatten()(layers.Masking()(flat))
    model = keras.Model(flat, MaskedMean(axis=2)(MaskedRepeatVector(2)(flat_of)))
    model.save(tmp_path / "model.keras")
    loaded = keras.saving.load_model(tmp_path / "model.keras")
    x = np.array([[[1], [2], [0]]], "float32")
    np.testing.assert_array_equal(array(model(x)), [[1.5, 1.5]])
    np.testing.assert_array_equal(array(loaded(x)), array(model(x)))


def test_without_a_mask_it_is_the_layer_of_keras():
    without_a_mask_it_is_the_layer_of_keras(MaskedRepeatVector(3), (2, 5))


@needs_gradients
def test_masked_elements_get_no_gradient():
    np.testing.assert_array_equal(gradient(MaskedRepeatVector(2), X, MASK), [[4, 8, 0], [12, 0, 0]])


def test_the_repetitions_of_a_whole_sequence_take_its_mask():
    x = layers.Masking()(np.array([[[1], [2], [0]]], "float32"))
    repeated = KeepMask()([layers.RepeatVector(3)(MaskedMean()(x)), x])
    np.testing.assert_array_equal(mask_of(repeated), [[True, True, False]])
    np.testing.assert_array_equal(array(repeated), [[[1.5]] * 3])


def test_an_empty_batch_and_half_precision():
    assert array(MaskedRepeatVector(2)(X[:0], mask=MASK[:0])).shape == (0, 2, 3)
    half = MaskedRepeatVector(2, dtype="float16")(X, mask=MASK)
    np.testing.assert_array_equal(array(half), np.array(EXPECTED, "float16"))


@needs["tensorflow"]
def test_ragged_tensors_and_strings_are_refused():
    refuses_ragged_and_strings(MaskedRepeatVector(2))
