import keras
import numpy as np
import pytest
from conftest import array, mask_of, needs, needs_gradients, slopes
from keras import layers, ops
from keras_twin import (
    its_weights_load,
    masks_are_judged,
    without_a_mask_it_is_the_layer_of_keras,
)

from keras_masking import MaskedBatchNormalization, MaskedMean

X = np.array([[[1, 1], [3, 3], [99, 99]], [[5, 5], [99, 99], [99, 99]]], "float32")
MASK = np.array([[True, True, False], [True, False, False]])
EMPTY = np.zeros_like(MASK)
BOTH = pytest.mark.parametrize("layer_class", [layers.BatchNormalization, MaskedBatchNormalization])


def with_padding(value):
    return np.where(MASK[..., None], X, np.array(value, "float32"))


class TestKeras:
    """What the layer of Keras does right, and what it does not."""

    @BOTH
    @pytest.mark.parametrize("value", [0, 7, np.nan, np.inf])
    def test_statistics_are_those_of_the_valid_steps(self, layer_class, value):
        """1, 3 and 5: mean 3, variance 8 / 3."""
        layer = layer_class(momentum=0.5, epsilon=0)
        result = array(layer(with_padding(value), mask=MASK, training=True))
        np.testing.assert_allclose(result[MASK], (X[MASK] - 3) / (8 / 3) ** 0.5, rtol=1e-5)
        np.testing.assert_allclose(array(layer.moving_mean), 1.5)
        np.testing.assert_allclose(array(layer.moving_variance), 0.5 + 4 / 3, rtol=1e-6)

    @BOTH
    def test_half_precision(self, layer_class):
        layer = layer_class(epsilon=0, dtype="float16")
        result = array(layer(1e4 * with_padding(0), mask=MASK, training=True))
        np.testing.assert_allclose(result[MASK], (X[MASK] - 3) / (8 / 3) ** 0.5, atol=1e-2)

    def test_a_batch_without_a_valid_step_moves_its_statistics(self):
        layer = moved(layers.BatchNormalization)
        np.testing.assert_allclose(array(layer.moving_mean), 2.5)
        np.testing.assert_allclose(array(layer.moving_variance), 0.5)

    @needs_gradients
    @pytest.mark.parametrize("value", [np.nan, np.inf])
    def test_nan_in_padding_reaches_the_gradient_of_gamma(self, value):
        assert np.isnan(gradients(layers.BatchNormalization(), with_padding(value))[1]).all()

    def test_a_mask_for_images_is_refused(self):
        with pytest.raises(ValueError, match="one dimension less"):
            layers.BatchNormalization()(X[..., None], mask=MASK, training=True)

    @pytest.mark.skipif(keras.backend.backend() == "tensorflow", reason="it works there")
    def test_a_single_feature_fails(self):
        with pytest.raises(IndexError):
            layers.BatchNormalization()(X[..., :1], mask=MASK, training=True)


def moved(layer_class, **options):
    """After a batch without a valid step, from a moving mean of 5."""
    layer = layer_class(momentum=0.5, **options)
    layer.build(X.shape)
    layer.moving_mean.assign([5.0, 5.0])
    layer(X, mask=EMPTY, training=True)
    return layer


def gradients(layer, x):
    """Of the cubes of the valid results, for the inputs and gamma."""
    layer.build(x.shape)
    if keras.backend.backend() == "jax":
        import jax

        weights = [[w.value for w in part] for part in (layer.weights[:2], layer.weights[2:])]

        def loss(x, gamma):
            own = [gamma, weights[0][1]], weights[1]
            result, _ = layer.stateless_call(*own, x, mask=MASK, training=True)
            return ops.sum(ops.where(MASK[..., None], result, 0) ** 3)

        return [array(g) for g in jax.grad(loss, (0, 1))(ops.array(x), weights[0][0])]

    def loss(x):
        result = layer(x, mask=MASK, training=True)
        return ops.sum(ops.where(MASK[..., None], result, 0) ** 3)

    return slopes(loss, x, layer.gamma)


@pytest.mark.parametrize("renorm", [False, True])
def test_a_batch_without_a_valid_step_leaves_the_statistics(renorm):
    layer = moved(MaskedBatchNormalization, renorm=renorm)
    for variable in layer.non_trainable_variables:
        at_first = {"moving_mean": 5.0, "renorm_mean": 0.0}.get(variable.name, 1.0)
        np.testing.assert_array_equal(array(variable), at_first)
    assert not array(layer(X, mask=EMPTY, training=True)).any()


@needs_gradients
@pytest.mark.parametrize("value", [0, np.nan, np.inf])
def test_gradients_are_those_of_the_valid_steps_alone(value):
    """1, 3 and 5 as one unpadded batch of single steps, in the layer of Keras."""
    found, gamma = gradients(MaskedBatchNormalization(), with_padding(value))
    plain, plain_gamma = gradients(layers.BatchNormalization(), with_padding(0))
    np.testing.assert_allclose(found, plain, rtol=1e-4, atol=1e-5)
    np.testing.assert_allclose(gamma, plain_gamma, rtol=1e-4, atol=1e-5)
    assert not found[~MASK].any()


def test_a_single_feature():
    layer = MaskedBatchNormalization(momentum=0)
    layer(X[..., :1], mask=MASK, training=True)
    np.testing.assert_allclose(array(layer.moving_mean), [3])


def test_padding_is_zero_and_the_mask_goes_on():
    layer = MaskedBatchNormalization(beta_initializer="ones")
    result = array(layer(with_padding(np.nan), mask=MASK))
    assert not result[~MASK].any()
    np.testing.assert_array_equal(mask_of(layer(layers.Masking(99)(X))), MASK)


def test_images_as_steps():
    x = np.stack([X, X + 2], axis=2)  # each step holds its number and two more
    layer = MaskedBatchNormalization(epsilon=0)
    result = array(layer(x, mask=MASK, training=True))
    values = x[MASK]  # 1 3 5 3 5 7
    np.testing.assert_allclose(result[MASK], (values - 4) / values.std(), rtol=1e-5)


@pytest.mark.parametrize("training", [False, True])
@pytest.mark.parametrize("options", [{}, {"center": False, "scale": False}, {"renorm": True}])
def test_it_is_the_layer_of_keras(options, training, tmp_path):
    layer = MaskedBatchNormalization(**options)
    without_a_mask_it_is_the_layer_of_keras(layer, training=training)
    its_weights_load(MaskedBatchNormalization(**options), tmp_path)


def test_frozen_it_does_not_train():
    layer = MaskedBatchNormalization(trainable=False)
    layer(X, mask=MASK, training=True)
    np.testing.assert_array_equal(array(layer.moving_mean), 0)


@needs_gradients
@pytest.mark.filterwarnings("ignore:.*shuffle")
def test_it_trains_in_a_compiled_model():
    """With a step without any valid entry, which changes nothing."""
    x = np.concatenate([with_padding(0), np.zeros_like(X)])
    stack = [layers.Masking(), MaskedBatchNormalization(momentum=0), MaskedMean()]
    model = keras.Sequential(stack)
    model.compile("sgd", "mse", jit_compile=True)
    model.fit(x, np.zeros((4, 1)), batch_size=2, shuffle=False, verbose=0)
    np.testing.assert_allclose(array(stack[1].moving_mean), 3, rtol=1e-6)


def test_bad_input_is_refused():
    masks_are_judged(MaskedBatchNormalization())
    with pytest.raises(ValueError, match="must name the features.* Received: axis=1 for inputs"):
        MaskedBatchNormalization(axis=1)(X, mask=MASK)


@needs["tensorflow"]
def test_statistics_of_several_devices_are_refused():
    layer = MaskedBatchNormalization(synchronized=True)
    with pytest.raises(ValueError, match="Received: synchronized=True"):
        layer(X, mask=MASK, training=True)


def test_an_empty_batch():
    assert array(MaskedBatchNormalization()(X[:0], mask=MASK[:0])).shape == (0, 3, 2)
