import keras
import numpy as np
import pytest
from bad_input import accepts_numbers_as_truth, refuses_bad_masks, refuses_ragged_and_strings
from conftest import array, gradient, needs, needs_gradients
from keras import layers

from keras_masking import MaskedAttentionPooling, MaskedMean

MASK = np.array([[True, True, False], [False, False, False]])


def pooling(*kernel, **options):
    """A layer whose vector is known."""
    layer = MaskedAttentionPooling(**options)
    layer.build((None, None, len(kernel)))
    layer.set_weights([np.array(kernel)])
    return layer


def test_the_scores_become_weights_and_these_a_mean():
    x = np.array([[[0, 4], [np.log(3), 8], [np.nan, np.inf]], [[9, 9]] * 3], "float32")
    pooled, weights = pooling(1, 0)(x, mask=MASK, return_attention_scores=True)
    np.testing.assert_allclose(array(weights), [[0.25, 0.75, 0], [0, 0, 0]], rtol=1e-6)
    np.testing.assert_allclose(array(pooled), [[0.75 * np.log(3), 7], [0, 0]], rtol=1e-6)


def test_it_starts_from_the_mean():
    x = np.random.default_rng(0).normal(size=(2, 3, 4)).astype("float32")
    for mask in (None, MASK):
        expected = array(MaskedMean()(x, mask=mask))
        np.testing.assert_allclose(array(MaskedAttentionPooling()(x, mask=mask)), expected, 1e-5)


@pytest.mark.parametrize("masked", [True, False])
def test_any_vector_equals_a_plain_loop(masked):
    random = np.random.default_rng(0)
    x, kernel = random.normal(size=(4, 6, 3)).astype("float32"), random.normal(size=3)
    mask = random.random((4, 6)) < 0.5 if masked else np.ones((4, 6), bool)
    pooled = pooling(*kernel)(x, mask=mask if masked else None)
    for row, kept, result in zip(x, mask, array(pooled), strict=True):
        weights = np.exp(row[kept] @ kernel)
        np.testing.assert_allclose(result, weights @ row[kept] / weights.sum(), 1e-5, 1e-6)


def test_two_time_axes_become_one():
    x = np.arange(8, dtype="float32").reshape(1, 2, 2, 2)
    mask = np.array([[[True, True], [False, False]]])
    layer = pooling(0, 0)
    np.testing.assert_array_equal(array(layer(x, mask=mask)), [[[1, 2], [0, 0]]])
    np.testing.assert_array_equal(array(layer.compute_mask(x, mask)), [[True, False]])
    outer = np.array([[True, False]])
    np.testing.assert_array_equal(array(layer(x, mask=outer)), [[[1, 2], [0, 0]]])


@pytest.mark.parametrize("policy", ["float16", "mixed_float16", "mixed_bfloat16"])
def test_scores_that_half_precision_cannot_hold(policy):
    x = np.array([[[600], [500], [0]], [[1], [1], [1]]], "float32")
    layer = pooling(600, dtype=policy)  # 600 * 600 is infinite in float16
    pooled, weights = layer(x, mask=MASK, return_attention_scores=True)
    np.testing.assert_array_equal(array(keras.ops.cast(pooled, "float32")), [[600], [0]])
    np.testing.assert_array_equal(array(keras.ops.cast(weights, "float32")), [[1, 0, 0], [0] * 3])


@needs_gradients
@pytest.mark.filterwarnings("ignore:.*__array__ implementation")  # Keras, where it sets weights
def test_it_trains_and_stays_finite_with_nan_in_padding():
    x = np.full((2, 3, 2), np.nan, "float32")
    x[0, :2] = [[1, 2], [3, 5]]
    model = keras.Sequential([MaskedAttentionPooling()])
    layer = model.layers[0]
    inputs, mask = keras.Input((3, 2)), keras.Input((3,), dtype="bool")
    model = keras.Model([inputs, mask], layer(inputs, mask=mask))
    model.compile("sgd", "mse")
    model.fit([x, MASK], np.array([[3.0, 5.0], [0.0, 0.0]]), epochs=3, verbose=0)
    (kernel,) = layer.get_weights()
    assert np.all(np.isfinite(kernel)) and np.all(kernel > 0)
    assert np.all(np.isfinite(gradient(layer, x, MASK)))


def test_the_weights_come_out_of_a_functional_model():
    inputs = keras.Input((3, 2))
    outputs = MaskedAttentionPooling()(layers.Masking()(inputs), return_attention_scores=True)
    assert [x.shape for x in outputs] == [(None, 2), (None, 3)]
    x = np.array([[[1, 1], [3, 3], [0, 0]]], "float32")
    pooled, weights = keras.Model(inputs, outputs).predict(x, verbose=0)
    np.testing.assert_array_equal(pooled, [[2, 2]])
    np.testing.assert_array_equal(weights, [[0.5, 0.5, 0]])


def test_an_empty_batch_and_an_empty_time_axis():
    for shape in ((0, 3, 2), (2, 0, 2)):
        result = MaskedAttentionPooling()(
            np.zeros(shape, "float32"), mask=np.zeros(shape[:2], bool)
        )
        np.testing.assert_array_equal(array(result), np.zeros((shape[0], 2)))


def test_bad_input_is_refused():
    refuses_bad_masks(MaskedAttentionPooling())
    with pytest.raises(ValueError, match=r"the axes .* inputs of shape \(2, 3\)"):
        MaskedAttentionPooling()(np.ones((2, 3), "float32"))
    with pytest.raises(ValueError, match=r"fixed size. .* inputs of shape \(None, 3, None\)"):
        MaskedAttentionPooling()(keras.Input((3, None)))


def test_zeros_and_ones_are_a_mask():
    accepts_numbers_as_truth(MaskedAttentionPooling(), MASK)


@needs["tensorflow"]
def test_ragged_tensors_and_strings_are_refused():
    refuses_ragged_and_strings(MaskedAttentionPooling())
