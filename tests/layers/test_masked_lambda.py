import keras
import numpy as np
import pytest
from conftest import array, leaking_probes, mask_of
from keras import layers, ops
from keras_twin import (
    masks_are_judged,
    without_a_mask_it_is_the_layer_of_keras,
)

from keras_masking import MaskedLambda, MaskedMean

X = np.array([[[1], [2], [0]]], "float32")
MASK = np.array([[True, True, False]])


@keras.saving.register_keras_serializable(package="tests")
def inverse(x):
    return 1 / x


def test_the_mask_goes_on_and_padding_becomes_zero():
    result = MaskedLambda(inverse)(layers.Masking()(X))
    np.testing.assert_array_equal(array(result), [[[1], [0.5], [0]]])
    np.testing.assert_array_equal(mask_of(result), MASK)


def test_what_stands_in_padded_steps_does_not_reach_the_function():
    x = np.where(MASK[..., None], X, np.array(np.nan, "float32"))
    assert np.isfinite(
        array(MaskedLambda(lambda x: x + ops.sum(x, axis=1, keepdims=True))(x, mask=MASK))
    ).all()


def test_the_function_may_take_the_mask():
    def share(x, mask):
        return x / ops.cast(ops.sum(ops.cast(mask, "int32"), axis=1), x.dtype)[:, None, None]

    result = MaskedLambda(share)(X, mask=MASK)
    np.testing.assert_array_equal(array(result), [[[0.5], [1], [0]]])


def test_a_result_without_the_time_axis_is_refused_or_told():
    total = lambda x: ops.sum(x, axis=1)  # noqa: E731
    with pytest.raises(ValueError, match=r"result of shape \(1, 1\) with a mask of shape \(1, 3\)"):
        MaskedLambda(total)(X, mask=MASK)
    result = MaskedLambda(total, mask=lambda x, mask: None)(X, mask=MASK)
    np.testing.assert_array_equal(array(result), [[3]])
    assert mask_of(result) is None


def test_a_result_with_another_time_axis():
    layer = MaskedLambda(lambda x: x[:, 1:], mask=lambda x, mask: mask[:, 1:])
    result = layer(X, mask=MASK)
    np.testing.assert_array_equal(array(result), [[[2], [0]]])
    np.testing.assert_array_equal(mask_of(result), [[True, False]])


def test_it_is_the_layer_of_keras():
    without_a_mask_it_is_the_layer_of_keras(MaskedLambda(inverse))


def test_it_is_saved(tmp_path):
    model = keras.Sequential([keras.Input((None, 1)), layers.Masking(), MaskedLambda(inverse)])
    model.save(tmp_path / "model.keras")
    loaded = keras.saving.load_model(tmp_path / "model.keras")
    np.testing.assert_array_equal(array(loaded(X)), [[[1], [0.5], [0]]])


def test_leaks_of_the_function_are_found():
    def centred(x):
        return x - ops.mean(x, axis=1, keepdims=True)

    for function, probes in ((inverse, set()), (centred, {"alone", "length"})):
        inputs = keras.Input((None, 1))
        x = MaskedLambda(function)(layers.Masking()(inputs))
        model = keras.Model(inputs, MaskedMean()(x))
        assert leaking_probes(model, np.concatenate([X, 2 * X])) == probes


def test_bad_input_is_refused():
    masks_are_judged(MaskedLambda(inverse))
    with pytest.raises(ValueError, match="one tensor. Received: list as its inputs"):
        MaskedLambda(lambda x: x[0])([layers.Masking()(X), X])
    with pytest.raises(ValueError, match="one tensor. Received: tuple as its result"):
        MaskedLambda(lambda x: (x, x))(X, mask=MASK)


def test_several_inputs_without_a_mask():
    result = MaskedLambda(lambda x: x[0] + x[1])([X, X])
    np.testing.assert_array_equal(array(result), 2 * X)


def test_an_empty_batch():
    assert array(MaskedLambda(inverse)(X[:0], mask=MASK[:0])).shape == (0, 3, 1)
