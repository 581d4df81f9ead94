"""Input that an eager call refuses is refused by a Functional model as it is made, alike."""

import itertools

import keras
import numpy as np
import pytest
from bad_input import BAD_MASKS, X
from conftest import array, mask_of, needs
from keras import layers
from test_every_layer import RIGHT, SPECIMENS, make
from test_every_layer import X as STEPS
from test_windows import STRIDED, named

from keras_masking import (
    DropMask,
    KeepMask,
    MaskedConv1D,
    MaskedConv1DTranspose,
    MaskedMean,
    MaskedMultiHeadAttention,
)

SHAPES = ("another length", "another batch", "one axis", "too many axes", "features first")
# made of (batch, 4, 3) in test_every_layer.py, of (2, 3, 4) here
LAYERS = [name for name in SPECIMENS if name != "MaskedReshape"]


@pytest.mark.parametrize(("name", "mistake"), [*itertools.product(LAYERS, SHAPES)])
def test_a_mask_of_a_wrong_shape(name, mistake):
    mask, message = BAD_MASKS[mistake]
    inputs = keras.Input(batch_shape=X.shape)
    given = keras.Input(batch_shape=mask.shape, dtype="bool")
    with pytest.raises(ValueError, match=message):
        make(name)(inputs, mask=given)


@pytest.mark.parametrize("mistake", SHAPES)
def test_a_mask_of_a_wrong_shape_in_attention_and_for_keep_mask(mistake):
    mask, message = BAD_MASKS[mistake]
    inputs = keras.Input(batch_shape=X.shape)
    given = keras.Input(batch_shape=mask.shape, dtype="bool")
    with pytest.raises(ValueError, match=message):
        KeepMask()(inputs, mask=given)
    with pytest.raises(ValueError, match="The mask must have the shape of the leading axes"):
        MaskedMultiHeadAttention(2, 2)(inputs, inputs, value_mask=given)


@pytest.mark.parametrize("name", SPECIMENS)
@pytest.mark.parametrize("dtype", ["bool", "int32"])
def test_a_mask_of_lists_is_the_mask_of_an_array(name, dtype):
    layer = make(name)
    expected = layer(STEPS, mask=RIGHT)
    result = layer(STEPS, mask=RIGHT.astype(dtype).tolist())
    np.testing.assert_array_equal(array(result), array(expected))
    if mask_of(expected) is None:
        assert mask_of(result) is None
    else:
        np.testing.assert_array_equal(mask_of(result), mask_of(expected))


@pytest.mark.parametrize("name", SPECIMENS)
def test_a_mask_of_numbers_in_a_functional_model(name):
    layer = make(name)
    inputs, given = keras.Input((4, 3)), keras.Input((4,), dtype="int32")
    model = keras.Model([inputs, given], layer(inputs, mask=given))
    expected = layer(STEPS, mask=RIGHT)
    result = model([STEPS, RIGHT.astype("int32")])
    np.testing.assert_allclose(array(result), array(expected), rtol=1e-5, atol=1e-6)


@pytest.mark.parametrize(
    "windows", [w for w in STRIDED if w.options["padding"] == "same"], ids=named
)
def test_without_any_time_step_there_are_none_behind(windows):
    layer = windows.ours()
    layer.build((None, None, 2))
    result = layer(np.zeros((2, 0, 2), "float32"), mask=np.zeros((2, 0), bool))
    assert result.shape[:2] == (2, 0) and mask_of(result).shape == (2, 0)


def transposed_and_its_mean():
    inputs = keras.Input((None, 2))
    x = MaskedConv1DTranspose(3, 4, strides=2)(layers.Masking()(inputs))
    return keras.Model(inputs, MaskedMean()(MaskedConv1D(2, 2)(x)))


def test_an_empty_batch_passes_a_model_with_a_transposed_convolution():
    model = transposed_and_its_mean()
    model(np.ones((2, 4, 2), "float32"))
    assert array(model(np.ones((0, 4, 2), "float32"))).shape == (0, 2)


@needs["tensorflow"]
def test_an_empty_batch_in_a_graph_that_does_not_know_its_size():
    import tensorflow as tf

    model = transposed_and_its_mean()
    graph = tf.function(model, input_signature=[tf.TensorSpec((None, None, 2))], autograph=False)
    assert graph(np.ones((0, 4, 2), "float32")).shape == (0, 2)


def test_drop_mask_takes_any_mask():
    assert mask_of(DropMask()(layers.Masking()(X))) is None
