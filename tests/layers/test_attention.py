"""Attention under masks: what both layers have in common. Oracle and arrays are plain numpy."""

import keras
import numpy as np
import pytest
from bad_input import BAD_MASKS
from conftest import EXAMPLES, array, mask_of, needs, needs_gradients, padded_batches, slopes
from hypothesis import given, settings
from hypothesis import strategies as st
from hypothesis.extra import numpy as hnp
from keras import layers, ops
from keras.src.testing import TestCase

from keras_masking import MaskedGroupQueryAttention, MaskedMultiHeadAttention

pytestmark = [
    pytest.mark.filterwarnings("ignore:.*__array__ implementation"),  # Keras, loading weights
    pytest.mark.filterwarnings("ignore:.*softmax over axis"),  # of a sequence of one step
]

KINDS = {
    "multi-head": (MaskedMultiHeadAttention, layers.MultiHeadAttention, {"num_heads": 4}),
    "grouped": (
        MaskedGroupQueryAttention,
        layers.GroupQueryAttention,
        {"num_query_heads": 4, "num_key_value_heads": 2},
    ),
}
both = pytest.mark.parametrize("kind", KINDS)
HEADS = 4

X = np.random.default_rng(0).normal(size=(2, 4, 3)).astype("float32")
MASKS = {
    "right": [[1, 1, 1, 0], [1, 0, 0, 0]],
    "left": [[0, 1, 1, 1], [0, 0, 0, 1]],
    "interleaved": [[1, 0, 1, 1], [0, 1, 0, 0]],
    "a fully padded row": [[1, 1, 1, 0], [0, 0, 0, 0]],
}
MASKS = {name: np.array(mask, bool) for name, mask in MASKS.items()}
RIGHT = MASKS["right"]


def arguments(kind, **options):
    size = "key_dim" if kind == "multi-head" else "head_dim"
    return {size: 2, **KINDS[kind][2], "bias_initializer": "glorot_uniform", **options}


def make(kind, stock=False, **options):
    """With weights of its own for each argument, the same ones each time."""
    keras.utils.set_random_seed(0)
    layer = KINDS[kind][stock](**arguments(kind, **options))
    layer.build((None, None, 3), (None, None, 3))
    return layer


def padded(x, mask, value=np.nan):
    return np.where(mask[..., None], x, np.array(value, x.dtype))


def attend(layer, x, mask, **options):
    return layer(x, x, query_mask=mask, value_mask=mask, **options)


def close(one, other, tolerance=1e-5):
    np.testing.assert_allclose(array(one), array(other), rtol=tolerance, atol=tolerance)


def oracle(layer, query, value, allowed):
    """One query of one head at a time, over the keys that it may attend to."""
    w = {x.path.split("/", 1)[1]: array(x).astype("float64") for x in layer.weights}
    q, k, v = (
        np.einsum("btf,fhd->bthd", x, w[f"{name}/kernel"]) + w[f"{name}/bias"]
        for name, x in (("query", query), ("key", value), ("value", value))
    )
    batch, time, _ = query.shape
    out = np.zeros((batch, time, 3))
    for b in range(batch):
        for t in range(time):
            heads = np.zeros((HEADS, q.shape[-1]))
            for h in range(HEADS):
                keys = np.flatnonzero(allowed[b, h, t])
                if len(keys) == 0:
                    continue
                shared = h * k.shape[2] // HEADS
                scores = k[b, keys, shared] @ q[b, t, h] / np.sqrt(q.shape[-1])
                weights = np.exp(scores - scores.max())
                heads[h] = weights / weights.sum() @ v[b, keys, shared]
            if allowed[b, :, t].any():
                kernel, bias = w["attention_output/kernel"], w["attention_output/bias"]
                out[b, t] = np.einsum("hd,hdf->f", heads, kernel) + bias
    return out


@both
class TestWithoutAMask:
    @pytest.mark.parametrize(
        ("options", "call"),
        [
            ({}, {}),
            ({}, {"use_causal_mask": True}),
            ({}, {"return_attention_scores": True}),
            ({"use_gate": True, "sliding_window": 2, "dropout": 0.5}, {}),
        ],
    )
    def test_it_is_bit_for_bit_the_layer_of_keras(self, kind, options, call):
        ours, stock = make(kind, **options), make(kind, True, **options)
        results = ours(X, 2 * X, X + 1, **call), stock(X, 2 * X, X + 1, **call)
        for one, other in zip(*map(keras.tree.flatten, results), strict=True):
            np.testing.assert_array_equal(array(one), array(other))

    def test_a_causal_mask_alone_is_left_to_the_kernel(self, kind, monkeypatch):
        layer, seen = make(kind), []
        attention = ops.dot_product_attention
        monkeypatch.setattr(
            "keras.src.ops.dot_product_attention",
            lambda **given: seen.append((given["mask"], given["is_causal"])) or attention(**given),
        )
        layer(X, X, use_causal_mask=True)
        attend(layer, X, RIGHT, use_causal_mask=True)
        (causal, padding) = seen
        assert causal == (None, True)
        assert padding[0] is not None and not padding[1]

    def test_inputs_carry_no_mask_afterwards_and_neither_does_the_output(self, kind):
        x = ops.array(X)
        assert mask_of(make(kind)(x, x)) is None
        assert mask_of(x) is None


@both
class TestMasks:
    def test_the_caller_keeps_its_masks_and_the_output_has_that_of_the_query(self, kind):
        query = layers.Masking()(padded(X, RIGHT, 0))
        value = layers.Masking()(padded(X, MASKS["left"], 0))
        result = make(kind)(query, value, value)
        np.testing.assert_array_equal(mask_of(query), RIGHT)
        np.testing.assert_array_equal(mask_of(value), MASKS["left"])
        np.testing.assert_array_equal(mask_of(result), RIGHT)

    def test_an_explicit_query_mask_goes_before_that_of_the_query(self, kind):
        x = layers.Masking()(padded(X, RIGHT, 0))
        result = make(kind)(x, x, query_mask=MASKS["left"])
        np.testing.assert_array_equal(mask_of(result), MASKS["left"])
        np.testing.assert_array_equal(mask_of(x), RIGHT)
        assert np.all(array(result)[~MASKS["left"]] == 0)

    @pytest.mark.parametrize("name", ["value_mask", "key_mask"])
    def test_masks_of_value_and_key_leave_keys_out(self, kind, name):
        value = padded(X, RIGHT)
        result = make(kind)(X, value, **{name: RIGHT})
        for i, row in enumerate(RIGHT):
            close(result[i], make(kind)(X[i : i + 1], X[i : i + 1, row])[0])

    def test_a_key_counts_where_value_mask_and_key_mask_are_true(self, kind):
        masks = {"value_mask": MASKS["left"], "key_mask": MASKS["interleaved"]}
        joint = {"value_mask": MASKS["left"] & MASKS["interleaved"]}
        close(make(kind)(X, X, **masks), make(kind)(X, X, **joint), 0)

    def test_padding_and_causal_together(self, kind):
        result = attend(make(kind), padded(X, MASKS["left"]), MASKS["left"], use_causal_mask=True)
        for i, row in enumerate(MASKS["left"]):
            alone = X[i : i + 1, row]
            close(array(result)[i, row], make(kind)(alone, alone, use_causal_mask=True)[0])

    def test_a_window_counts_padded_steps_as_positions(self, kind):
        layer = make(kind, sliding_window=2)
        steps = np.abs(np.subtract.outer(range(4), range(4))) < 2
        allowed = (MASKS["interleaved"][:, :, None] & MASKS["interleaved"][:, None] & steps)[
            :, None
        ]
        result = attend(layer, padded(X, MASKS["interleaved"]), MASKS["interleaved"])
        close(result, oracle(layer, X, X, np.repeat(allowed, HEADS, axis=1)))

    def test_attention_mask_says_what_nothing_attends_to(self, kind):
        """A mask of padding that comes as `attention_mask` keeps nan out too."""
        result = make(kind)(padded(X, RIGHT), padded(X, RIGHT), attention_mask=RIGHT[:, None])
        close(array(result)[RIGHT], array(attend(make(kind), X, RIGHT))[RIGHT])

    def test_attention_mask_by_head_joins_the_padding(self, kind):
        by_head = np.random.default_rng(1).random((2, HEADS, 4, 4)) < 0.5
        by_head[0, 1, 2] = False
        by_head[0, :, 1] = False
        layer = make(kind)
        allowed = by_head & RIGHT[:, None, :, None] & RIGHT[:, None, None]
        expected = oracle(layer, X, X, allowed)
        close(attend(layer, padded(X, RIGHT), RIGHT, attention_mask=by_head), expected)
        result, scores = attend(
            layer, X, RIGHT, attention_mask=by_head, return_attention_scores=True
        )
        close(result, expected)
        assert np.all(array(scores)[~allowed] == 0)
        close(array(scores).sum(axis=-1), allowed.any(axis=-1))

    @pytest.mark.parametrize(
        ("side", "options"),
        [
            ("right", {"use_gate": True}),
            ("left", {}),
            ("interleaved", {"dropout": 0.5}),
            ("a fully padded row", {}),
        ],
    )
    def test_padding_changes_nothing(self, kind, side, options):
        """What stands in it, how much there is, and what else is in the batch."""
        mask, layer = MASKS[side], make(kind, **options)
        result = array(attend(layer, padded(X, mask, 1), mask))
        for value in (7, -3e38, np.nan, np.inf):
            close(attend(layer, padded(X, mask, value), mask), result, 0)
        assert np.all(result[~mask] == 0)
        width = [(0, 0), (2, 3)]
        longer = np.pad(X, [*width, (0, 0)], constant_values=np.nan)
        close(attend(layer, longer, np.pad(mask, width))[:, 2:6], result)
        for i, row in enumerate(mask):
            alone = X[i : i + 1, row]
            if row.any():
                close(result[i, row], make(kind, True, **options)(alone, alone)[0])

    def test_zeros_and_ones_are_masks(self, kind):
        expected = array(attend(make(kind), X, RIGHT))
        for dtype in ("int32", "float16"):
            close(attend(make(kind), X, RIGHT.astype(dtype)), expected, 0)

    def test_an_empty_batch(self, kind):
        result = attend(make(kind), X[:0], RIGHT[:0])
        assert result.shape == (0, 4, 3)

    @settings(deadline=None, max_examples=EXAMPLES, derandomize=True)
    @given(data=st.data())
    def test_it_equals_a_plain_loop_on_any_input(self, kind, data):
        query, queries = data.draw(padded_batches((2, 4, 3), largest=4))
        value, keys = data.draw(padded_batches((2, 3, 3), largest=4))
        causal = data.draw(st.booleans())
        pairs = data.draw(st.none() | hnp.arrays(bool, (2, 4, 3)))
        allowed = queries[:, :, None] & keys[:, None]
        allowed = allowed & np.tri(4, 3, dtype=bool) if causal else allowed
        allowed = allowed if pairs is None else allowed & pairs
        layer = make(kind)
        result = layer(
            query,
            value,
            query_mask=queries,
            value_mask=keys,
            attention_mask=pairs,
            use_causal_mask=causal,
        )
        valid = padded(query, queries, 0), padded(value, keys, 0)
        expected = oracle(layer, *valid, np.repeat(allowed[:, None], HEADS, axis=1))
        close(result, expected, 1e-4)


@both
class TestBadInput:
    def test_masks_that_are_none_are_refused(self, kind):
        x, layer = np.ones((2, 3, 3), "float32"), make(kind)
        for name, (mask, _) in BAD_MASKS.items():
            for argument in ("query_mask", "value_mask", "key_mask"):
                with pytest.raises(ValueError, match="The mask must"):
                    layer(x, x, **{argument: mask})
            if name in ("lengths", "weights", "nan", "complex numbers"):
                with pytest.raises(ValueError, match="with other values"):
                    layer(x, x, attention_mask=mask[:, None])
        with pytest.raises(ValueError, match="The mask must"):
            layer(x, x, query_mask=np.ones((2, 3, 3), bool))

    @pytest.mark.parametrize("shape", [(2, 3, 4), (3, 4, 4), (2, 3, 4, 4), (1, 2, 4, 4, 4), (3, 4)])
    def test_an_attention_mask_of_another_shape_is_refused(self, kind, shape):
        with pytest.raises(ValueError, match="`attention_mask` must have the shape .*value_mask"):
            make(kind)(X, X, attention_mask=np.ones(shape, bool))

    def test_numbers_that_are_added_to_scores_are_refused(self, kind):
        with pytest.raises(ValueError, match="dtype float32 with other values"):
            make(kind)(X, X, attention_mask=np.where(RIGHT[:, None], 0, -1e9).astype("float32"))


@needs["tensorflow"]
def test_ragged_tensors_and_strings_are_refused():
    import tensorflow as tf

    for kind in KINDS:
        with pytest.raises(ValueError, match="Received: a ragged tensor"):
            make(kind).call(tf.ragged.constant([[[1.0] * 3]]), X)
        with pytest.raises(ValueError, match="Received: strings"):
            make(kind).call(tf.constant([[["a", "b", "c"]]]), X)


@both
class TestCompiled:
    @needs["tensorflow"]
    @pytest.mark.parametrize("xla", [False, True])
    def test_tensorflow_graphs_give_what_eager_calls_give(self, kind, xla):
        import tensorflow as tf

        layer = make(kind)
        shape = (2, 4, 3) if xla else (None, None, 3)
        signature = [tf.TensorSpec(shape), tf.TensorSpec(shape[:2], tf.bool)]

        @tf.function(jit_compile=xla, input_signature=signature)
        def compiled(x, mask):
            return attend(layer, x, mask, use_causal_mask=True)

        x = padded(X, RIGHT)
        close(compiled(x, RIGHT), attend(layer, x, RIGHT, use_causal_mask=True))

    @needs["jax"]
    def test_jax_graphs_give_what_eager_calls_give(self, kind):
        import jax

        layer, x = make(kind), padded(X, RIGHT)
        compiled = jax.jit(lambda x, mask: attend(layer, x, mask, use_causal_mask=True))
        close(compiled(x, RIGHT), attend(layer, x, RIGHT, use_causal_mask=True))


class Subclassed(keras.Model):
    def __init__(self, attend):
        super().__init__()
        self.attend = attend

    def call(self, x):
        return self.attend(x, x)


@both
class TestModels:
    def test_a_model_of_keras_becomes_one_of_ours_with_its_weights(self, kind):
        """Also what its file names layers by is their class, so a file loads into its own kind."""
        ours, stock, _ = KINDS[kind]
        inputs = keras.Input((None, 3))
        model = keras.Model(inputs, stock(**arguments(kind), name="attend")(inputs, inputs))

        def exchanged(layer):
            made = ours if isinstance(layer, stock) else type(layer)
            return made.from_config(layer.get_config())

        clone = keras.models.clone_model(model, clone_function=exchanged)
        clone.set_weights(model.get_weights())
        assert type(clone.get_layer("attend")) is ours
        np.testing.assert_array_equal(array(clone(X)), array(model(X)))

    def test_weights_load_from_the_file_of_a_model_with_the_layer_of_keras(self, kind, tmp_path):
        models = [Subclassed(KINDS[kind][stock](**arguments(kind))) for stock in (True, False)]
        for model in models:
            model(X)
        models[0].save_weights(tmp_path / "x.weights.h5")
        models[1].load_weights(tmp_path / "x.weights.h5")
        np.testing.assert_array_equal(*(array(model(X)) for model in models))

    def test_saved_and_loaded_it_gives_the_same(self, kind, tmp_path):
        inputs = keras.Input((None, 3))
        x = layers.Masking()(inputs)
        model = keras.Model(inputs, KINDS[kind][0](**arguments(kind))(x, x))
        model.save(tmp_path / "model.keras")
        loaded = keras.saving.load_model(tmp_path / "model.keras")
        x = padded(X, RIGHT, 0)
        np.testing.assert_array_equal(array(loaded(x)), array(model(x)))
        close(model.predict(x, verbose=0), model(x))
        assert type(loaded.layers[-1]) is KINDS[kind][0]

    @pytest.mark.parametrize(
        ("policy", "scores"), [("mixed_float16", True), ("mixed_bfloat16", False)]
    )
    def test_half_precision(self, kind, policy, scores):
        x = padded(X, MASKS["a fully padded row"])
        layer = make(kind, dtype=policy)
        result = attend(layer, x, MASKS["a fully padded row"], return_attention_scores=scores)
        result = result[0] if scores else result
        assert keras.backend.standardize_dtype(result.dtype) == layer.compute_dtype
        expected = attend(make(kind), x, MASKS["a fully padded row"])
        close(ops.cast(result, "float32"), expected, 5e-2)


@needs_gradients
@both
@pytest.mark.parametrize(("side", "scores"), [("interleaved", False), ("a fully padded row", True)])
def test_padding_gets_no_gradient_and_valid_steps_what_they_get_alone(kind, side, scores):
    mask, layer = MASKS[side], make(kind)
    found, weights = gradients(layer, padded(X, mask), mask, scores)
    assert np.all(found[~mask] == 0)
    total = np.zeros_like(weights)
    for i, row in enumerate(mask):
        if row.any():
            alone = X[i : i + 1, row]
            expected, kernel = gradients(layer, alone, np.ones((1, row.sum()), bool), scores)
            close(found[i, row], expected[0], 1e-4)
            total += kernel
    close(weights, total, 1e-4)


def gradients(layer, x, mask, scores):
    """Of the sum of squares of the result, for the inputs and for the kernel of the keys."""

    def loss(x):
        result = attend(layer, x, mask, return_attention_scores=scores)
        return ops.sum((result[0] if scores else result) ** 2)

    kernel = layer._key_dense.kernel
    if keras.backend.backend() == "jax":
        import jax

        def stateless(x, value):
            with keras.StatelessScope(state_mapping=[(kernel, value)]):
                return loss(x)

        return map(array, jax.jit(jax.grad(stateless, (0, 1)))(x, kernel.value))
    return slopes(loss, x, kernel)


@pytest.mark.filterwarnings("ignore:.*shuffle", "ignore:.*trainable weights")
class TestKerasItself(TestCase):
    def test_each_layer(self):
        for kind, (layer_class, _, _) in KINDS.items():
            self.run_layer_test(
                layer_class,
                init_kwargs=arguments(kind),
                input_shape={"query_shape": (2, 4, 3), "value_shape": (2, 5, 3)},
                expected_output_shape=(2, 4, 3),
                expected_num_trainable_weights=8,
                expected_num_non_trainable_weights=0,
                expected_num_seed_generators=0,
                expected_num_losses=0,
                supports_masking=True,
                run_training_check=False,  # it hands a layer one argument, not two
            )
