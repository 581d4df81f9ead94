import keras
import numpy as np
import pytest
from conftest import array, mask_of, needs_gradients
from keras import layers
from keras_twin import (
    its_weights_load,
    masks_are_judged,
    without_a_mask_it_is_the_layer_of_keras,
)

from keras_masking import MaskedEinsumDense, MaskedMean

X = np.array([[[1, 2], [3, 4], [np.nan, np.inf]]], "float32")
MASK = np.array([[True, True, False]])
KEPT = [("btf,fg->btg", (None, 5)), ("...f,fg->...g", 5), ("abc,cde->abde", (None, 2, 3))]


def ones(equation, output_shape, **options):
    options = {"kernel_initializer": "ones", "bias_initializer": "ones"} | options
    return MaskedEinsumDense(equation, output_shape, **options)


def test_each_step_by_hand_and_no_bias_in_padding():
    layer = ones("btf,fg->btg", (None, 1), bias_axes="g")
    np.testing.assert_array_equal(array(layer(X, mask=MASK)), [[[4], [8], [0]]])
    np.testing.assert_array_equal(
        mask_of(layer(layers.Masking()(np.nan_to_num(X, nan=0, posinf=0)))), MASK
    )


@pytest.mark.parametrize(("equation", "output_shape"), KEPT)
def test_the_mask_goes_on_where_the_equation_keeps_time(equation, output_shape):
    layer = ones(equation, output_shape)
    np.testing.assert_array_equal(array(layer.compute_mask(X, MASK)), MASK)


def test_it_ends_where_the_equation_sums_over_time():
    layer = ones("btf,tg->bfg", (2, 1))
    np.testing.assert_array_equal(array(layer(X, mask=MASK)), [[[4], [6]]])
    assert layer.compute_mask(X, MASK) is None


def test_a_time_axis_that_moves_is_refused():
    with pytest.raises(ValueError, match=r"Received: equation='btf,fg->bgt' .* MaskedPermute"):
        ones("btf,fg->bgt", (5, None))(X, mask=MASK)


def test_a_mask_of_inner_steps():
    x, mask = np.ones((2, 3, 4, 2), "float32"), np.ones((2, 3, 4), bool)
    for equation in ("...f,fg->...g", "abcf,fg->abcg"):
        shape = 1 if "..." in equation else (None, None, 1)
        assert array(ones(equation, shape).compute_mask(x, mask)).shape == (2, 3, 4)
    assert ones("abcf,cfg->abg", (None, 1)).compute_mask(x, mask[..., 0]).shape == (2, 3)


@pytest.mark.parametrize(("equation", "output_shape"), KEPT)
def test_it_is_the_layer_of_keras(equation, output_shape, tmp_path):
    options = {"activation": "tanh", "bias_axes": equation[-1]}
    without_a_mask_it_is_the_layer_of_keras(MaskedEinsumDense(equation, output_shape, **options))
    its_weights_load(MaskedEinsumDense(equation, output_shape, **options), tmp_path)


@needs_gradients
@pytest.mark.filterwarnings("ignore:.*shuffle")
def test_nan_in_padding_does_not_reach_the_weights():
    inputs, mask = keras.Input((3, 2)), keras.Input((3,), dtype="bool")
    layer = ones("...f,fg->...g", 4, bias_axes="g")
    model = keras.Model([inputs, mask], MaskedMean()(layer(inputs, mask=mask)))
    model.compile("sgd", "mse")
    model.fit([X, MASK], np.zeros((1, 4)), verbose=0)
    assert all(np.isfinite(array(w)).all() for w in layer.weights)
    assert (array(layer.kernel) != 1).all()


def test_bad_input_is_refused():
    masks_are_judged(ones("...f,fg->...g", 4))


def test_an_empty_batch():
    assert array(ones("...f,fg->...g", 4)(X[:0], mask=MASK[:0])).shape == (0, 3, 4)


@pytest.mark.parametrize("mode", ["int8", "int4", "float8"])
@pytest.mark.filterwarnings("ignore:.*__array__ implementation")  # Keras, where it quantizes
def test_quantized_it_gives_valid_steps_what_the_layer_of_keras_gives_them(mode):
    """With a quantized dtype policy, and quantized when it is built."""
    x = np.random.default_rng(0).normal(size=(1, 3, 4)).astype("float32")
    options = {"equation": "btf,fg->btg", "output_shape": (None, 4), "bias_axes": "g"}
    policy = f"{mode}_from_float32"
    pair = layers.EinsumDense(**options, dtype=policy), MaskedEinsumDense(**options, dtype=policy)
    for layer in pair:
        layer.build(x.shape)
    pair[1].set_weights(pair[0].get_weights())
    later = layers.EinsumDense(**options), MaskedEinsumDense(**options)
    for layer in later:
        layer.build(x.shape)
    later[1].set_weights(later[0].get_weights())
    for layer in later:
        layer.quantize(mode)
    for stock, ours in (pair, later):
        expected = array(stock(x[:, :2]))
        padded = np.where(MASK[..., None], x, np.float32(np.nan))
        result = array(ours(padded, mask=MASK))
        np.testing.assert_allclose(result[:, :2], expected, rtol=1e-5, atol=1e-6)
        assert not result[:, 2:].any()


@pytest.mark.filterwarnings("ignore:.*quantize", "ignore:.*__array__ implementation")
def test_a_model_that_is_quantized_quantizes_it():
    layer = MaskedEinsumDense("btf,fg->btg", (None, 4))
    model = keras.Sequential([keras.Input((3, 4)), layers.Masking(), layer])
    model.quantize("int8")
    assert layer.dtype_policy.name == "int8_from_float32"
