import keras
import numpy as np
import pytest
from conftest import array
from keras_twin import (
    compiled,
    masks_are_judged,
    without_a_mask_it_is_the_layer_of_keras,
)

from keras_masking import MaskedReshape

X = np.arange(1, 17, dtype="float32").reshape(1, 4, 4)
MASK = np.array([[True, True, True, False]])

WHOLE = [  # inputs, their mask, target, mask of the result
    ((2, 4, 6), (2, 4), (4, 2, 3), (2, 4)),
    ((2, 4, 6), (2, 4), (-1, 6, 1), (2, 4)),
    ((2, 4, 6), (2, 4), (2, 2, 6), (2, 2, 2)),
    ((2, 4, 6), (2, 4), (2, -1, 2, 3), (2, 2, 2)),
    ((2, 4, 6), (2, 4), (1, 4, 6), (2, 1, 4)),
    ((2, 4, 1), (2, 4), (4,), (2, 4)),
    ((2, 4), (2, 4), (2, 2), (2, 2, 2)),
    ((2, 4, 3, 5), (2, 4), (12, 5), (2, 12)),
    ((2, 4, 3, 5), (2, 4, 3), (12, 5), (2, 12)),
    ((2, 4, 3, 5), (2, 4, 3), (4, 3, 5, 1), (2, 4, 3)),
    ((2, 4, 3), (2, 4, 3), (12,), (2, 12)),
    ((0, 4, 6), (0, 4), (2, 2, 6), (0, 2, 2)),
]
BROKEN = [
    ((2, 4, 6), (2, 4), (24,)),
    ((2, 4, 6), (2, 4), (2, 12)),
    ((2, 4, 6), (2, 4), (8, 3)),
    ((2, 4, 6), (2, 4), (6, 4)),
    ((2, 4, 3, 5), (2, 4), (60,)),
    ((2, 4, 3, 5), (2, 4, 3), (4, 15)),
]


def test_time_is_split_by_hand():
    layer = MaskedReshape((2, 2, 4))
    expected = [[X[0, :2], [X[0, 2], np.zeros(4)]]]
    np.testing.assert_array_equal(array(layer(X, mask=MASK)), expected)
    np.testing.assert_array_equal(array(layer.compute_mask(X, MASK)), [[[1, 1], [1, 0]]])


@pytest.mark.parametrize(("shape", "given", "target", "left"), WHOLE)
def test_steps_that_stay_whole_keep_their_entry(shape, given, target, left):
    mask = np.random.default_rng(0).random(given) < 0.5
    layer, x = MaskedReshape(target), np.ones(shape, "float32")
    every = np.broadcast_to(mask.reshape(given + (1,) * (len(shape) - len(given))), shape)
    result, found = array(layer(x, mask=mask)), array(layer.compute_mask(x, mask))
    assert found.shape == left
    np.testing.assert_array_equal(result, every.reshape(result.shape))
    wide = found.reshape(left + (1,) * (result.ndim - len(left)))
    np.testing.assert_array_equal(np.broadcast_to(wide, result.shape), result.astype(bool))


@pytest.mark.parametrize(("shape", "given", "target"), BROKEN)
def test_steps_that_break_are_refused(shape, given, target):
    words = r"steps .* stay whole.* Received: target_shape=.*MaskedFlatten .* or DropMask"
    with pytest.raises(ValueError, match=words):
        MaskedReshape(target)(np.ones(shape, "float32"), mask=np.ones(given, bool))


@pytest.mark.parametrize("target", [(-1, 2, 2), (-1, 2, 4), (2, -1, 4)])
def test_the_number_of_steps_need_not_be_known(target):
    layer = MaskedReshape(target)
    x = np.where(MASK[..., None], X, np.array(np.nan, "float32"))
    expected = array(layer(x, mask=MASK))
    assert np.isfinite(expected).all()
    for function in compiled(lambda x, mask: layer(x, mask=mask), (None, None, 4)):
        np.testing.assert_array_equal(array(function(x, MASK)), expected)
    inputs = keras.Input((None, 4))
    model = keras.Model(inputs, MaskedReshape(target)(keras.layers.Masking()(inputs)))
    np.testing.assert_array_equal(model.predict(np.nan_to_num(x), verbose=0), expected)


def test_without_a_mask_it_is_the_layer_of_keras():
    for target in ((24,), (-1, 12), (2, 2, 6)):
        without_a_mask_it_is_the_layer_of_keras(MaskedReshape(target))


def test_bad_input_is_refused():
    masks_are_judged(MaskedReshape((3, 2, 2)))
