import keras
import numpy as np
import pytest
from bad_input import refuses_bad_masks
from conftest import array, gradient, leaking_probes, mask_of, needs, needs_gradients
from keras import layers, ops
from keras_twin import compiled, its_weights_load, ours_takes_its_place_in_a_saved_model

from keras_masking import (
    MaskedBatchNormalization,
    MaskedMean,
    MaskedTimeDistributed,
    MaskedUpSampling1D,
)

X = np.arange(1, 13, dtype="float32").reshape(1, 3, 4, 1)
MASK = np.array([[[1, 1, 1, 0], [1, 0, 0, 0], [0, 0, 0, 0]]], bool)
NAN = np.where(MASK[..., None], X, np.array(np.nan, "float32"))


def test_each_outer_step_has_the_mask_of_its_inner_steps():
    layer = MaskedTimeDistributed(MaskedMean())
    np.testing.assert_array_equal(array(layer(NAN, mask=MASK)), [[[2], [5], [0]]])
    np.testing.assert_array_equal(array(layer.compute_mask(X, MASK)), [[True, True, False]])


def test_a_layer_that_gives_nan_for_a_fully_padded_row_does_not():
    layer = MaskedTimeDistributed(layers.GlobalAveragePooling1D())
    np.testing.assert_array_equal(array(layer(NAN, mask=MASK)), [[[2], [5], [0]]])


@pytest.mark.parametrize(
    ("inner", "left"),
    [
        (lambda: layers.LSTM(2), (1, 3)),
        (lambda: layers.LSTM(2, return_sequences=True), (1, 3, 4)),
        (lambda: layers.Dense(2), (1, 3, 4)),
        (lambda: layers.Conv1D(2, 2), (1, 3)),
    ],
)
def test_inner_steps_keep_their_mask_where_the_layer_keeps_them(inner, left):
    layer = MaskedTimeDistributed(inner())
    result, mask = layer(NAN, mask=MASK), array(layer.compute_mask(ops.array(X), MASK))
    np.testing.assert_array_equal(mask, MASK if len(left) == 3 else MASK.any(axis=2))
    np.testing.assert_array_equal(mask_of(layer(X, mask=MASK)), mask)
    assert np.isfinite(array(result)).all() and not array(result)[0, 2].any()


def test_a_mask_of_outer_steps_alone():
    layer = MaskedTimeDistributed(layers.GlobalAveragePooling1D())
    mask = MASK.any(axis=2)
    np.testing.assert_array_equal(array(layer(X, mask=mask)), [[[2.5], [6.5], [0]]])
    np.testing.assert_array_equal(array(layer.compute_mask(X, mask)), mask)


def hierarchy():
    """Words, sentences, one vector a document."""
    words = keras.Input((None, None), dtype="int32")
    x = layers.Embedding(9, 3, mask_zero=True)(words)
    x = MaskedTimeDistributed(layers.SimpleRNN(2))(x)
    return keras.Model(words, layers.SimpleRNN(2)(x))


def test_a_hierarchy_with_unknown_sizes_is_free_of_padding():
    model = hierarchy()
    words = np.array([[[1, 2, 3], [4, 0, 0]], [[5, 6, 0], [0, 0, 0]]])
    expected = model.predict(words, verbose=0)
    longer = np.pad(words, [(0, 0), (0, 2), (0, 3)])
    np.testing.assert_allclose(model.predict(longer, verbose=0), expected, rtol=1e-5, atol=1e-6)
    assert leaking_probes(model, words) == set()


def test_inner_steps_pass_two_layers_with_unknown_sizes():
    inputs = keras.Input((None, None, 1))
    x = MaskedTimeDistributed(layers.LSTM(2, return_sequences=True))(layers.Masking()(inputs))
    model = keras.Model(inputs, MaskedTimeDistributed(MaskedMean())(x))
    x = np.where(MASK[..., None], X, 0)
    expected = model.predict(x, verbose=0)
    longer = np.pad(x, [(0, 0), (0, 1), (0, 2), (0, 0)])
    np.testing.assert_allclose(model.predict(longer, verbose=0)[:, :3], expected, atol=1e-6)


def test_a_layer_that_changes_the_inner_mask():
    layer = MaskedTimeDistributed(MaskedUpSampling1D(2))
    np.testing.assert_array_equal(array(layer.compute_mask(X, MASK)), MASK.repeat(2, axis=2))
    inputs = keras.Input((3, 4, 1))
    x = MaskedTimeDistributed(MaskedUpSampling1D(2))(layers.Masking()(inputs))
    model = keras.Model(inputs, MaskedTimeDistributed(MaskedMean())(x))
    x = np.where(MASK[..., None], X, 0)
    np.testing.assert_allclose(model.predict(x, verbose=0), [[[2], [5], [0]]])
    with pytest.raises(ValueError, match="sizes that are known .* Received: .* Give keras.Input"):
        layer(layers.Masking()(keras.Input((None, 4, 1))))


def test_saved_with_the_layer_inside(tmp_path):
    model, words = hierarchy(), np.array([[[1, 2, 0], [3, 0, 0]]])
    model.save(tmp_path / "model.keras")
    loaded = keras.saving.load_model(tmp_path / "model.keras")
    np.testing.assert_array_equal(array(loaded(words)), array(model(words)))


def test_weights_of_the_layer_of_keras_load(tmp_path):
    its_weights_load(MaskedTimeDistributed(layers.Dense(2)), tmp_path, X.shape)
    ours_takes_its_place_in_a_saved_model(
        layers.TimeDistributed(layers.Dense(2)), tmp_path, X.shape
    )


def test_compiled():
    layer = MaskedTimeDistributed(MaskedMean())

    def mean(x, mask):
        return layer(x[..., None], mask=x > 0)

    x = np.where(MASK, X[..., 0], 0)
    for function in compiled(mean, (None, None, None)):
        np.testing.assert_array_equal(array(function(x, MASK[..., 0])), [[[2], [5], [0]]])


@needs_gradients
def test_gradients_are_those_of_the_valid_steps():
    layer = MaskedTimeDistributed(layers.GlobalAveragePooling1D())
    found = gradient(layer, NAN, MASK)
    np.testing.assert_allclose(found[0, 0, :, 0], [4 / 3, 4 / 3, 4 / 3, 0], rtol=1e-6)
    np.testing.assert_array_equal(found[0, 1, :, 0], [10, 0, 0, 0])
    assert not found[0, 2].any()


@needs["tensorflow"]
def test_the_layer_of_keras_loses_steps_where_sizes_are_unknown():
    """On TensorFlow, in a graph: seven steps become two. Ours with a mask does not."""
    import tensorflow as tf

    plain, ours = (
        made(layers.Activation("relu")) for made in (layers.TimeDistributed, MaskedTimeDistributed)
    )
    signature = [tf.TensorSpec((None, None, 3))]
    x, mask = np.ones((2, 7, 3), "float32"), np.ones((2, 7), bool)
    shape = tf.function(plain, input_signature=signature, autograph=False)(x).shape
    assert shape == (2, 2, 3)
    graph = tf.function(lambda x: ours(x, mask=mask), input_signature=signature, autograph=False)
    np.testing.assert_array_equal(array(graph(x)), x)


def test_bad_input_is_refused():
    refuses_bad_masks(MaskedTimeDistributed(layers.Dense(2)))


NORMALIZATIONS = [layers.BatchNormalization, MaskedBatchNormalization]


@pytest.mark.parametrize("normalization", NORMALIZATIONS)
@pytest.mark.parametrize("more", [0, 4])
def test_padded_outer_steps_do_not_count_in_statistics_of_the_batch(normalization, more):
    x = np.random.default_rng(0).normal(3, size=(2, 4, 3)).astype("float32")
    mask = np.arange(4) < [[3], [2]]
    alone, inner = layers.BatchNormalization(), normalization()
    expected = array(alone(x[mask], training=True))
    x, mask = np.where(mask[..., None], x, np.float32(np.nan)), np.pad(mask, [(0, 0), (0, more)])
    x = np.pad(x, [(0, 0), (0, more), (0, 0)])
    result = array(MaskedTimeDistributed(inner)(x, mask=mask, training=True))
    np.testing.assert_allclose(result[mask], expected, rtol=1e-4, atol=1e-5)
    assert not result[~mask].any()
    for found, known in zip(inner.weights, alone.weights, strict=True):
        np.testing.assert_allclose(array(found), array(known), rtol=1e-5)


@pytest.mark.parametrize("normalization", NORMALIZATIONS)
def test_a_batch_without_valid_steps_leaves_the_statistics_as_they_are(normalization):
    inner = normalization()
    layer = MaskedTimeDistributed(inner)
    layer(np.ones((2, 4, 3), "float32"), mask=np.zeros((2, 4), bool), training=True)
    np.testing.assert_array_equal(array(inner.moving_mean), np.zeros(3))
    np.testing.assert_array_equal(array(inner.moving_variance), np.ones(3))


def test_statistics_inside_another_layer_are_refused_in_training_only():
    block = keras.Sequential([layers.Dense(2), layers.BatchNormalization()], name="block")
    layer, x = MaskedTimeDistributed(block), np.ones((2, 4, 3), "float32")
    mask = np.arange(4) < [[3], [2]]
    assert np.isfinite(array(layer(x, mask=mask))).all()
    with pytest.raises(ValueError, match=r"count padded outer steps. Received: .*'block'. Wrap"):
        layer(x, mask=mask, training=True)
    block.trainable = False
    layer(x, mask=mask, training=True)
