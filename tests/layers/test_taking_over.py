"""Each layer that takes the place of one of Keras is made from an instance of it."""

import keras
import numpy as np
import pytest
from conftest import array
from keras import layers, ops

import keras_masking
from keras_masking import MaskedConv1D, MaskedLambda, MaskedMax, MaskedMean, MaskedSum

STEPS = (2, 4, 6)
STOCK = {
    "AveragePooling1D": lambda: layers.AveragePooling1D(2, padding="same"),
    "BatchNormalization": lambda: layers.BatchNormalization(momentum=0.5, epsilon=0.1),
    "Conv1D": lambda: layers.Conv1D(2, 3, strides=2, padding="causal", activation="tanh"),
    "Conv1DTranspose": lambda: layers.Conv1DTranspose(2, 3, strides=2),
    "Cropping1D": lambda: layers.Cropping1D((1, 2)),
    "DepthwiseConv1D": lambda: layers.DepthwiseConv1D(3, depth_multiplier=2),
    "EinsumDense": lambda: layers.EinsumDense("abc,cd->abd", (None, 3), bias_axes="d"),
    "Flatten": lambda: layers.Flatten(),
    "GroupNormalization": lambda: layers.GroupNormalization(3, epsilon=0.1),
    "GroupQueryAttention": lambda: layers.GroupQueryAttention(2, 4, 2),
    "Lambda": lambda: layers.Lambda(lambda x, by: x * by, arguments={"by": 3}),
    "MaxPooling1D": lambda: layers.MaxPooling1D(3, strides=1),
    "MultiHeadAttention": lambda: layers.MultiHeadAttention(2, 3, value_dim=4, dropout=0.5),
    "Permute": lambda: layers.Permute((2, 1)),
    "RMSNormalization": lambda: layers.RMSNormalization(epsilon=0.1),
    "Reshape": lambda: layers.Reshape((2, 2, 6)),
    "SeparableConv1D": lambda: layers.SeparableConv1D(3, 2, data_format="channels_last"),
    "Softmax": lambda: layers.Softmax(axis=1),
    "TimeDistributed": lambda: layers.TimeDistributed(layers.Dense(2)),
    "UpSampling1D": lambda: layers.UpSampling1D(3),
    "ZeroPadding1D": lambda: layers.ZeroPadding1D((0, 2)),
    "RepeatVector": lambda: layers.RepeatVector(3),
}
OTHER_NAMES = {"MaskedMean": "GlobalAveragePooling1D", "MaskedMax": "GlobalMaxPooling1D"}


def applied(layer, x):
    return array(layer(x, x) if "Attention" in type(layer).__name__ else layer(x))


def filled(layer):
    rng = np.random.default_rng(1)
    layer.set_weights([rng.uniform(0.5, 2, w.shape) for w in layer.get_weights()])


def test_all_that_take_the_place_of_one_are_tried():
    able = {
        n for n in keras_masking.layers.__all__ if hasattr(vars(keras_masking)[n], "from_keras")
    }
    assert able == {f"Masked{name}" for name in STOCK} | set(OTHER_NAMES)


@pytest.mark.parametrize("name", STOCK)
def test_name_arguments_and_weights_are_those_of_the_layer_of_keras(name):
    stock = STOCK[name]()
    x = np.random.default_rng(0).normal(size=STEPS[::2] if name == "RepeatVector" else STEPS)
    x = x.astype("float32")
    applied(stock, x)
    filled(stock)
    stock.trainable = False
    expected = applied(stock, x)
    ours = getattr(keras_masking, f"Masked{name}").from_keras(stock)
    assert type(ours).__name__ == f"Masked{name}" and ours.name == stock.name
    assert not ours.trainable
    config = stock.get_config()
    assert {key: ours.get_config()[key] for key in config} == config
    np.testing.assert_array_equal(applied(ours, x), expected)


@pytest.mark.parametrize("name", STOCK)
def test_a_layer_that_is_not_built_can_be_taken_over_too(name):
    ours = getattr(keras_masking, f"Masked{name}").from_keras(STOCK[name]())
    assert not ours.weights


@pytest.mark.parametrize("keepdims", [False, True])
@pytest.mark.parametrize("name", OTHER_NAMES)
def test_a_summary_takes_the_place_of_global_pooling(name, keepdims):
    stock = getattr(layers, OTHER_NAMES[name])(keepdims=keepdims, dtype="float16")
    ours = getattr(keras_masking, name).from_keras(stock)
    x = np.random.default_rng(0).normal(size=STEPS)
    result = applied(ours, x)
    assert ours.name == stock.name and result.dtype == "float16"
    np.testing.assert_allclose(result, applied(stock, x), rtol=1e-2)
    assert ours(keras.Input((None, 6))).shape == stock(keras.Input((None, 6))).shape


@pytest.mark.parametrize("cls", [MaskedMean, MaskedMax])
def test_channels_first_is_refused_with_what_to_do(cls):
    stock = getattr(layers, OTHER_NAMES[cls.__name__])(data_format="channels_first")
    with pytest.raises(ValueError, match=r"time as the second axis.*Received: .*Permute"):
        cls.from_keras(stock)


def test_another_layer_is_refused_and_so_is_what_is_made_from_the_right_one():
    class Mine(layers.Conv1D):
        """It may compute something else."""

    for layer in (layers.Dense(2), Mine(2, 3), MaskedConv1D(2, 3)):
        with pytest.raises(TypeError, match=r"replaces keras.layers.Conv1D.* Received: <"):
            MaskedConv1D.from_keras(layer)
    for cls in (MaskedMean, MaskedLambda):
        with pytest.raises(TypeError, match="replaces keras.layers"):
            cls.from_keras(layers.Dense(2))
    assert not hasattr(MaskedSum, "from_keras")


def test_an_activation_without_a_name_in_keras_is_the_same_function():
    stock = layers.Conv1D(2, 1, activation=lambda x: ops.abs(x) + 1)
    x = np.ones(STEPS, "float32")
    expected = applied(stock, x)
    np.testing.assert_array_equal(applied(MaskedConv1D.from_keras(stock), x), expected)


def test_the_weights_are_copies():
    stock = layers.Conv1D(2, 1)
    stock.build(STEPS)
    ours = MaskedConv1D.from_keras(stock)
    before = array(ours.kernel)
    stock.kernel.assign(0 * stock.kernel)
    np.testing.assert_array_equal(array(ours.kernel), before)


def test_a_model_is_cloned_with_ours_in_the_place_of_others():
    model = keras.Sequential([keras.Input(STEPS[1:]), layers.Conv1D(2, 3), layers.Flatten()])
    ours = keras.models.clone_model(
        model,
        clone_function=lambda layer: getattr(
            keras_masking, f"Masked{type(layer).__name__}"
        ).from_keras(layer),
    )
    ours.set_weights(model.get_weights())
    x = np.random.default_rng(0).normal(size=STEPS).astype("float32")
    np.testing.assert_array_equal(array(ours(x)), array(model(x)))
