import keras
import numpy as np
import pytest
from bad_input import refuses_bad_masks, refuses_ragged_and_strings
from conftest import (
    EXAMPLES,
    array,
    gradient,
    leaking_probes,
    mask_of,
    needs,
    needs_gradients,
    padded_batches,
)
from hypothesis import given, settings
from keras import layers, ops
from keras.src.backend import set_keras_mask
from keras_twin import compiled

from keras_masking import KeepMask, MaskedMean

X = np.array([[[1], [2], [0]], [[3], [0], [0]]], "float32")
MASK = np.array([[True, True, False], [True, False, False]])


def masked():
    return layers.Masking()(X)


def test_the_mask_comes_from_the_second_tensor():
    x = masked()
    lost = x * 2
    kept = KeepMask()([lost, x])
    np.testing.assert_array_equal(mask_of(kept), MASK)
    np.testing.assert_array_equal(array(kept), 2 * X)
    assert mask_of(lost) is None


def test_it_replaces_a_mask_and_leaves_the_tensors_alone():
    x, other = masked(), layers.Masking(mask_value=3.0)(X)
    kept = KeepMask()([other, x])
    np.testing.assert_array_equal(mask_of(kept), MASK)
    np.testing.assert_array_equal(mask_of(other), [[1, 1, 1], [0, 1, 1]])
    np.testing.assert_array_equal(mask_of(x), MASK)


def test_a_mask_is_given_by_name():
    for mask in (MASK, MASK.astype("int32"), MASK.astype("float32")):
        kept = KeepMask()(X, mask=mask)
        np.testing.assert_array_equal(mask_of(kept), MASK)
        assert keras.backend.standardize_dtype(mask_of(kept).dtype) == "bool"


def test_values_stay_also_in_padded_steps():
    x = np.where(MASK[..., None], X, np.array([np.nan], "float32"))
    np.testing.assert_array_equal(array(KeepMask()(x, mask=MASK)), x)


@settings(deadline=None, max_examples=EXAMPLES, derandomize=True)
@given(batch=padded_batches((2, 3, 1), (0, 3, 1)))
def test_any_values_and_any_mask_come_back_as_they_are(batch):
    x, mask = batch
    carrier = ops.ones(x.shape)
    set_keras_mask(carrier, ops.array(mask))
    for kept in (KeepMask()(x, mask=mask), KeepMask()([x, carrier])):
        np.testing.assert_array_equal(array(kept), x)
        np.testing.assert_array_equal(mask_of(kept), mask)


@needs_gradients
def test_gradients_are_those_of_the_valid_steps():
    """Means of 3 and 6."""
    found = gradient(lambda x, mask: MaskedMean()(KeepMask()(x * 2, mask=mask)), X, MASK)
    np.testing.assert_allclose(found[..., 0], [[6, 6, 0], [24, 0, 0]])


def test_a_mask_by_position_is_refused():
    """Keras does not pass it on, so it would be lost."""
    with pytest.raises(TypeError, match="positional"):
        KeepMask()(X, MASK)


def test_without_any_mask_there_is_none():
    assert mask_of(KeepMask()([X * 2, X])) is None
    assert mask_of(KeepMask()(X)) is None


def test_other_features_and_other_dtypes():
    kept = KeepMask()([np.ones((2, 3, 5, 2), "int32"), masked()])
    np.testing.assert_array_equal(mask_of(kept), MASK)
    assert keras.backend.standardize_dtype(kept.dtype) == "int32"
    assert KeepMask(dtype="mixed_float16")([X, masked()]).dtype == ops.ones(1, "float16").dtype


class Doubled(keras.Model):
    def __init__(self):
        super().__init__()
        self.masking, self.keep, self.mean = layers.Masking(), KeepMask(), MaskedMean()

    def call(self, x):
        x = self.masking(x)
        return self.mean(self.keep([x * 2, x]))


def functional():
    inputs = keras.Input((None, 1))
    x = layers.Masking()(inputs)
    return keras.Model(inputs, MaskedMean()(KeepMask()([x * 2, x])))


def sequential():
    double = layers.Dense(1, kernel_initializer=keras.initializers.Constant(2))
    return keras.Sequential([layers.Masking(), KeepMask(), double, MaskedMean()])


@pytest.mark.parametrize("kind", [functional, Doubled, sequential])
def test_models_do_not_leak(kind):
    model = kind()
    np.testing.assert_allclose(model.predict(X, verbose=0), [[3], [6]])
    assert leaking_probes(model, X) == set()


def test_a_mask_that_is_an_input_of_the_model():
    inputs, mask = keras.Input((3, 1)), keras.Input((3,), dtype="bool")
    model = keras.Model([inputs, mask], MaskedMean()(KeepMask()(inputs, mask=mask)))
    np.testing.assert_allclose(model.predict([X + 1, MASK], verbose=0), [[2.5], [4]])


def test_it_is_saved(tmp_path):
    model = functional()
    model.save(tmp_path / "model.keras")
    loaded = keras.saving.load_model(tmp_path / "model.keras")
    np.testing.assert_array_equal(array(loaded(X)), array(model(X)))


def test_compiled():
    keep, mean = KeepMask(), MaskedMean()
    for function in compiled(lambda x, m: mean(keep(x * 2, mask=m)), (None, None, 1)):
        np.testing.assert_allclose(array(function(X, MASK)), [[3], [6]])


def test_an_empty_batch():
    kept = KeepMask()(X[:0], mask=MASK[:0])
    assert array(kept).shape == (0, 3, 1)
    assert mask_of(kept).shape == (0, 3)


def test_bad_input_is_refused():
    refuses_bad_masks(KeepMask())
    with pytest.raises(ValueError, match="for inputs of shape"):
        KeepMask()([masked()[:, 1:], masked()])
    for inputs in ([X], [X, X, X]):
        with pytest.raises(ValueError, match=f"Received: {len(inputs)} inputs. Write"):
            KeepMask()(inputs)
    with pytest.raises(ValueError, match="Received: 2 inputs and a mask"):
        KeepMask()([X, X], mask=MASK)


@needs["tensorflow"]
def test_ragged_tensors_and_strings_are_refused():
    refuses_ragged_and_strings(KeepMask())
