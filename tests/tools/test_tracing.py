"""What a trace says of every kind of layer and model, and that it leaves them alone."""

import gc
import threading
import warnings
import weakref

import keras
import numpy as np
import pytest
from keras import layers, ops
from models import IDS, MASK, embedding, functional, subclassed
from numpy.testing import assert_array_equal

from keras_masking import MaskedConv1D, MaskedFlatten, MaskedMean, UnusableInput, trace


def kept(call):
    return None if call.mask is None else call.mask.astype(int).tolist()


@pytest.mark.parametrize(
    ("layer", "events"),
    [
        (lambda: layers.Dense(3), ("passes",)),
        (lambda: layers.Dropout(0.5), ("passes",)),
        (lambda: layers.LSTM(3, return_sequences=True), ("uses", "passes")),
        (lambda: layers.LSTM(3), ("uses",)),
        (lambda: layers.Bidirectional(layers.GRU(3, return_sequences=True)), ("uses", "passes")),
        (lambda: layers.GlobalAveragePooling1D(), ("uses",)),
        (lambda: layers.BatchNormalization(), ("uses", "passes")),
        (lambda: layers.LayerNormalization(), ("passes",)),
        (lambda: layers.LayerNormalization(axis=(1, 2)), ("ignores", "passes")),
        (lambda: layers.GroupNormalization(2), ("ignores", "passes")),
        (lambda: layers.RMSNormalization(), ("drops",)),
        (lambda: layers.GlobalMaxPooling1D(), ("drops",)),
        (lambda: layers.Conv1D(3, 2), ("drops",)),
        (lambda: layers.Flatten(), ("drops",)),
        (lambda: layers.Lambda(lambda x: x * 2), ("drops",)),
        (lambda: layers.TimeDistributed(layers.Dense(3)), ("uses", "passes")),
        (lambda: MaskedMean(), ("uses",)),
        (lambda: MaskedFlatten(), ("uses", "changes")),
    ],
)
def test_what_a_layer_does_with_the_mask(layer, events):
    layer = layer()
    call = trace(functional(layer, steps=4), IDS)[layer.name]
    assert call.events == events
    assert (call.warning is not None) == ("drops" in events)


@pytest.mark.parametrize(
    ("operation", "class_name"),
    [
        (lambda x: x * 2, "Multiply"),
        (lambda x: x[:, :3], "GetItem"),
        (lambda x: ops.relu(x), "Relu"),
        (lambda x: ops.mean(x, axis=1), "Mean"),
    ],
)
def test_an_operation_of_a_functional_model_drops_the_mask_silently(operation, class_name):
    (lost,) = trace(functional(operation), IDS).losses
    assert (lost.kind, lost.class_name, lost.events) == (
        "operation",
        class_name,
        ("drops silently",),
    )


def test_arithmetic_on_masks_in_the_graph_of_a_functional_model_has_no_rows():
    model = functional(MaskedConv1D(3, 3, padding="same", name="conv"), MaskedMean(name="mean"))
    assert len(model.operations) > 9
    assert [call.path for call in trace(model, IDS)] == ["embedding", "conv", "mean"]


def test_masks_are_those_of_the_run():
    result = trace(functional(layers.Dense(3, name="dense"), layers.LSTM(2, name="lstm")), IDS)
    assert_array_equal(result["embedding"].mask, MASK)
    assert_array_equal(result["dense"].inputs[0].mask, MASK)
    assert result["lstm"].mask is None
    assert result["dense"].outputs[0].shape == (2, 4, 3)
    assert (result.inputs[0].shape, result.outputs[0].shape) == ((2, 4), (2, 2))


class TestLossesInCodeThatKerasDoesNotSee:
    def test_between_two_layers(self):
        model = subclassed(
            lambda self, x: self.pool(self.embed(x) * 2),
            embed=embedding("embed"),
            pool=layers.GlobalAveragePooling1D(name="pool"),
        )
        (gap,) = trace(model, IDS).losses
        assert (gap.kind, gap.before, gap.after) == ("gap", "embed", "pool")
        assert gap.events == ("drops silently",)
        assert gap.index == 1

    def test_behind_the_last_layer(self):
        model = subclassed(lambda self, x: ops.max(self.embed(x), axis=1), embed=embedding("embed"))
        (gap,) = trace(model, IDS).losses
        assert (gap.before, gap.after) == ("embed", None)

    def test_inside_a_layer_made_of_layers(self):
        class Block(layers.Layer):
            def __init__(self, **options):
                super().__init__(**options)
                self.dense = layers.Dense(4, name="dense")
                self.supports_masking = True

            def build(self, shape):
                self.dense.build(shape)

            def call(self, x):
                return self.dense(ops.tanh(x))

        result = trace(functional(Block(name="block")), IDS)
        (gap,) = [call for call in result if call.loses]
        assert (gap.before, gap.after, gap.parent) == (None, "block/dense", 1)
        assert result["block"].events == ("passes",)
        assert result.losses == ()  # the block hands the mask on

    def test_none_is_seen_where_a_layer_has_used_the_mask(self):
        model = subclassed(
            lambda self, x: self.dense(ops.tanh(self.pool(self.embed(x)))),
            embed=embedding("embed"),
            pool=layers.GlobalAveragePooling1D(name="pool"),
            dense=layers.Dense(2, name="dense"),
        )
        assert trace(model, IDS).losses == ()

    def test_none_is_seen_for_positions(self):
        model = subclassed(
            lambda self, x: (
                self.add([self.embed(x), self.embed(x)]) + self.place(ops.arange(x.shape[1]))
            ),
            embed=embedding("embed"),
            place=layers.Embedding(9, 4, name="place"),
            add=layers.Add(name="add"),
        )
        assert [(gap.before, gap.after) for gap in trace(model, IDS).losses] == [("add", None)]


class TestAttention:
    def blocks(self, count):
        inputs = keras.Input((None,), dtype="int32")
        x = embedding()(inputs)
        for i in range(count):
            y = layers.MultiHeadAttention(1, 4, name=f"attention_{i}")(x, x)
            x = layers.LayerNormalization(name=f"norm_{i}")(layers.Add(name=f"add_{i}")([x, y]))
        return keras.Model(inputs, x)

    def test_it_takes_the_mask_of_its_callers_tensors(self):
        call = trace(self.blocks(1), IDS)["attention_0"]
        assert call.events == ("uses", "passes")
        assert [x.name for x in call.inputs if x.taken] == ["query", "value"]

    def test_a_residual_loses_what_attention_took(self):
        result = trace(self.blocks(1), IDS)
        (lost,) = result.losses
        assert lost.path == "add_0"
        assert result[lost.cause].path == "attention_0"

    def test_symbolic_tensors_claim_a_mask_that_the_run_does_not_have(self):
        model = self.blocks(2)
        assert model.output._keras_mask is not None
        assert trace(model, IDS)["norm_1"].mask is None


class TestModels:
    def test_a_sequential_model(self):
        model = keras.Sequential(
            [keras.Input((None,), dtype="int32"), embedding(), layers.Dense(2, name="dense")]
        )
        assert [call.path for call in trace(model, IDS)] == ["embedding", "dense"]

    def test_a_nested_model_stands_in_front_of_its_layers(self):
        inner = keras.Sequential(
            [keras.Input((None, 4)), layers.Dense(3, name="dense")], name="inner"
        )
        result = trace(functional(inner, layers.Dense(1, name="last")), IDS)
        assert [(c.path, c.depth, c.parent) for c in result] == [
            ("embedding", 0, None),
            ("inner", 0, None),
            ("inner/dense", 1, 1),
            ("last", 0, None),
        ]
        assert result["inner"].events == ("passes",)

    def test_a_shared_layer_has_a_row_for_each_call(self):
        dense = layers.Dense(4, name="dense")
        result = trace(functional(dense, dense, dense), IDS)
        assert [c.path for c in result] == ["embedding", "dense", "dense#2", "dense#3"]
        assert result["dense#3"].index == 3

    def test_several_inputs_and_outputs(self):
        a, b = (keras.Input((None,), dtype="int32", name=name) for name in "ab")
        shared = embedding()
        both = layers.Add(name="add")([shared(a), shared(b)])
        model = keras.Model({"a": a, "b": b}, [both, layers.GlobalAveragePooling1D()(both)])
        result = trace(model, {"b": IDS[:, ::-1], "a": IDS})
        assert result["add"].events == ("merges",)
        assert_array_equal(result["add"].mask, MASK | MASK[:, ::-1])
        assert [x.shape for x in result.outputs] == [(2, 4, 4), (2, 4)]

    def test_a_merge_with_an_unmasked_input_loses_the_mask(self):
        inputs = keras.Input((None,), dtype="int32")
        plain = layers.Embedding(6, 4, name="plain")(inputs)
        model = keras.Model(inputs, layers.Add(name="add")([embedding()(inputs), plain]))
        assert [call.path for call in trace(model, IDS).losses] == ["add"]

    def test_the_cell_of_a_recurrent_layer_is_one_row(self):
        result = trace(functional(layers.SimpleRNN(3, name="rnn")), IDS)
        cell = result["rnn/simple_rnn_cell"]
        assert (cell.depth, cell.parent) == (1, 1)
        assert len(result) == 3
        loops = {"tensorflow", "numpy", "torch"}  # in Python; jax traces the cell once
        assert (cell.times >= 4) == (keras.backend.backend() in loops)

    def test_a_wrapper_names_what_it_wraps(self):
        result = trace(
            functional(layers.Bidirectional(layers.LSTM(2, name="lstm"), name="both")), IDS
        )
        assert result["both"].class_name == "Bidirectional(LSTM)"
        assert result["both/forward_lstm"].events == ("uses",)

    def test_a_hierarchy_has_a_mask_of_rank_three(self):
        ids = np.array([[[1, 2], [3, 0], [0, 0]]])
        inputs = keras.Input((3, 2), dtype="int32")
        inner = layers.TimeDistributed(layers.GlobalAveragePooling1D(), name="inner")
        result = trace(keras.Model(inputs, inner(embedding()(inputs))), ids)
        assert kept(result["embedding"]) == [[[1, 1], [1, 0], [0, 0]]]

    def test_a_single_layer(self):
        x = np.zeros((1, 3, 4), "float32")
        layer = layers.LSTM(2, return_sequences=True, name="lstm")
        layer.build((None, 3, 4))
        result = trace(layer, x, mask=[[True, True, False]])
        assert result["lstm"].events == ("uses", "passes")

    def test_a_mask_may_be_given(self):
        inputs = keras.Input((None, 2))
        model = keras.Model(inputs, layers.Dense(1, name="dense")(inputs))
        x = np.ones((2, 4, 2), "float32")
        assert trace(model, x)["dense"].events == ()
        assert_array_equal(trace(model, x, mask=MASK)["dense"].mask, MASK)

    @pytest.mark.parametrize("policy", ["float16", "mixed_float16", "mixed_bfloat16", "float64"])
    def test_any_precision(self, policy):
        keras.config.set_dtype_policy(policy)
        model = functional(layers.Dense(2, name="dense"))
        result = trace(model, IDS)
        assert_array_equal(result["dense"].mask, MASK)
        dtype = keras.backend.standardize_dtype(model(IDS).dtype)  # jax has no float64
        assert result["dense"].outputs[0].dtype == dtype


class TestNothingChanges:
    def model(self):
        return functional(
            layers.BatchNormalization(momentum=0.5),
            layers.Dropout(0.5, seed=1),
            layers.Dense(4, activity_regularizer="l2"),
            layers.LSTM(3),
        )

    def test_weights_seeds_losses_and_results(self):
        model = self.model()
        before = [ops.convert_to_numpy(variable) for variable in model.variables]
        expected, losses = ops.convert_to_numpy(model(IDS)), len(model.losses)
        trace(model, IDS)
        for variable, value in zip(model.variables, before, strict=True):
            assert_array_equal(ops.convert_to_numpy(variable), value)
        assert len(model.losses) == losses
        assert_array_equal(ops.convert_to_numpy(model(IDS)), expected)

    def test_the_state_of_a_stateful_layer(self):
        inputs = keras.Input((4,), batch_size=2, dtype="int32")
        model = keras.Model(inputs, layers.GRU(3, stateful=True)(embedding()(inputs)))
        model(IDS)
        state = [ops.convert_to_numpy(variable) for variable in model.non_trainable_variables]
        assert any(value.any() for value in state)
        trace(model, IDS)
        for variable, value in zip(model.non_trainable_variables, state, strict=True):
            assert_array_equal(ops.convert_to_numpy(variable), value)

    def test_a_layer_that_assigns_and_then_raises(self):
        class Counts(layers.Layer):
            def build(self, shape):
                self.count = self.add_weight(shape=(), initializer="zeros", trainable=False)
                self.fails = False

            def call(self, x):
                self.count.assign(self.count + 1)
                if self.fails:
                    raise RuntimeError("on purpose")
                return x

        counts = Counts(name="counts")
        model = functional(counts)
        counts.fails = True
        with pytest.raises(RuntimeError, match="on purpose") as caught:
            trace(model, IDS)
        assert "keras_masking: raised in counts." in caught.value.__notes__
        assert ops.convert_to_numpy(counts.count) == 0
        counts.fails = False
        assert trace(model, IDS)["counts"].class_name == "Counts"

    def test_layers_are_called_as_before(self):
        calls = keras.Layer.__call__, keras.Operation.__call__
        trace(self.model(), IDS)
        assert (keras.Layer.__call__, keras.Operation.__call__) == calls

    def test_the_input_and_its_mask(self):
        class Takes(layers.Layer):
            def call(self, x):
                from keras.src.backend import set_keras_mask

                set_keras_mask(x, None)
                return x

        inputs = keras.Input((4, 2))
        x = np.ones((2, 4, 2), "float32")
        trace(keras.Model(inputs, Takes()(inputs)), x, mask=MASK)
        assert (x == 1).all()

    def test_other_threads_do_not_appear(self):
        other = functional(layers.Dense(2, name="other"))
        started, go = threading.Event(), threading.Event()

        class Waits(layers.Layer):
            waits = False

            def call(self, x):
                if self.waits:
                    started.set()
                    go.wait(20)
                return x

        waits = Waits(name="waits")
        model = functional(waits)
        waits.waits = True
        found = []
        thread = threading.Thread(target=lambda: found.append(trace(model, IDS)))
        thread.start()
        assert started.wait(20)
        other(IDS)
        go.set()
        thread.join()
        assert [call.path for call in found[0]] == ["embedding", "waits"]

    def test_keras_warnings_go_into_the_trace_and_others_through(self):
        class Warns(layers.Layer):
            def call(self, x):
                warnings.warn("of my own", stacklevel=1)
                return x

        model = functional(Warns(name="warns"))
        with pytest.warns(UserWarning) as caught:
            result = trace(model, IDS)
        assert [str(w.message) for w in caught if w.category is UserWarning] == ["of my own"]
        assert result["warns"].warning.startswith("Layer 'warns' (of type Warns) was passed")


@pytest.fixture
def little_garbage():
    """What is there already is not looked through by each collection."""
    gc.freeze()
    yield
    gc.unfreeze()


def test_no_activation_outlives_the_layer_behind_it(little_garbage):
    alive, most = weakref.WeakSet(), []

    class Made:
        """Stands for a tensor in a set."""

    class Watch(layers.Layer):
        def call(self, x):
            y = ops.tanh(x)
            made = Made()
            weakref.finalize(y, lambda made=made: None)
            self.kept = weakref.ref(y)
            alive.add(made)
            gc.collect()
            most.append(len(alive))
            return y

    model = functional(*(Watch(name=f"watch_{i}") for i in range(8)))
    model.trainable = False
    # without the model's own graph, which holds each tensor until the end
    chain = [layer for layer in model.layers if isinstance(layer, Watch)]

    class Chain(layers.Layer):
        def call(self, x):
            for layer in chain:
                x = layer(x)
            return x

    most.clear()
    alive.clear()
    chained = Chain(name="chain")
    chained.build((2, 4, 4))
    trace(chained, np.ones((2, 4, 4), "float32"))
    assert len(most) == 8
    assert max(most) <= 3


class TestLookingUp:
    def test_a_path_that_is_not_there_names_near_ones(self):
        result = trace(functional(layers.Dense(2, name="dense")), IDS)
        with pytest.raises(KeyError, match="no call with the path 'dens'.*Close to it: dense"):
            result["dens"]

    def test_by_number_by_iteration_and_length(self):
        result = trace(functional(layers.Dense(2, name="dense")), IDS)
        assert result[1] is result["dense"] is list(result)[1]
        assert len(result) == 2


class TestBadInput:
    def test_a_model_that_was_never_built(self):
        model = keras.Sequential([embedding(), layers.Dense(2)])
        with pytest.raises(UnusableInput, match="was never built"):
            trace(model, IDS)

    def test_an_empty_batch(self):
        with pytest.raises(UnusableInput, match="is empty, of shape"):
            trace(functional(), IDS[:0])

    def test_something_else_than_a_model(self):
        with pytest.raises(UnusableInput, match="model or layer is needed"):
            trace(lambda x: x, IDS)

    def test_a_mask_that_does_not_fit(self):
        with pytest.raises(UnusableInput, match=r"mask of shape \(2, 3\) does not fit"):
            trace(functional(), IDS, mask=MASK[:, :3])


def test_a_mask_that_the_input_carries_is_used():
    x = layers.Masking()(np.array([[[1.0], [2.0], [0.0]]], "float32"))
    layer = layers.LSTM(2, name="lstm")
    layer.build((None, None, 1))
    assert_array_equal(trace(layer, x)["lstm"].inputs[0].mask, [[True, True, False]])


def test_an_input_read_behind_a_masked_layer_is_no_gap():
    a, b = keras.Input((None, 3)), keras.Input((None, 3))
    masked = layers.GlobalAveragePooling1D()(layers.Masking()(a))
    model = keras.Model([a, b], layers.Add()([masked, layers.GlobalMaxPooling1D()(b)]))
    x = np.ones((2, 4, 3), "float32")
    assert [call.kind for call in trace(model, [x, x])] == ["layer"] * 4
