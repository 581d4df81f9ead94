"""A model is mended: padding changes nothing any more, and nothing else has changed."""

import json

import keras
import numpy as np
import pytest
from keras import layers, ops
from models import IDS, Subclassed, embedding, functional, subclassed
from reports import CASES
from test_rendering import validator

from keras_masking import KeepMask, MaskedMax, MaskedMean, find_leaks, repair
from keras_masking.cli import main

# others compile each anew
STEP = {"numpy": 1, "tensorflow": 6}.get(keras.backend.backend(), 16)
SHARE = list(CASES)[::STEP]
only_numpy = pytest.mark.skipif(
    keras.backend.backend() != "numpy", reason="which edit is chosen is the same on each backend"
)
BY_HAND = {  # code of a layer's own, or a model that is another one without the fault
    "operator-in-subclass",
    "layer-normalization-over-time",
    "compute-mask-inverted",
    "no-mask-argument",
    "mask-argument-misnamed",
    "inner-call",
    "centred-over-time",
    "divided-by-padded-length",
    "divided-by-longest-length",
    "centred-across-batch",
    "positions-of-left-padding",
}


def values(x):
    return np.asarray(ops.convert_to_numpy(x))


def names(model):
    return [layer.name for layer in model._flatten_layers(include_self=False)]


def residual(x):
    return layers.LayerNormalization()(layers.Add()([x, layers.MultiHeadAttention(1, 2)(x, x)]))


@pytest.mark.parametrize("name", SHARE)
def test_a_known_fault_is_repaired_or_left_with_what_to_do(name):
    fault = CASES[name]
    model = fault.build()
    weights, before = model.get_weights(), names(model)
    repaired = repair(model, fault.inputs, fault.mask)
    assert repaired.ok == (name not in BY_HAND), str(repaired)
    # the model that was given is what it was
    assert all(map(np.array_equal, weights, model.get_weights())) and names(model) == before
    if not repaired.ok:
        assert repaired.left and repaired.model is None
        return
    assert repaired.changes and not repaired.left
    assert find_leaks(repaired.model, fault.inputs, fault.mask).ok
    assert all(map(np.array_equal, weights, repaired.model.get_weights()))


@only_numpy
def test_each_sample_alone_gives_what_the_old_model_gave_and_in_the_batch_too():
    model = functional(layers.Conv1D(4, 3, padding="same"), layers.GlobalMaxPooling1D())
    repaired = repair(model, IDS).model
    together = values(repaired(IDS))
    for row, ids in enumerate(IDS):
        alone = ids[None, ids != 0]
        np.testing.assert_allclose(values(repaired(alone)), values(model(alone)), atol=1e-6)
        np.testing.assert_allclose(together[row], values(model(alone))[0], atol=1e-6)


def test_a_saved_model_gives_the_same(tmp_path):
    model = functional(layers.Conv1D(4, 3), layers.ReLU())
    x = layers.GlobalAveragePooling1D()(residual(model.output * 2))
    repaired = repair(keras.Model(model.input, x), IDS)
    assert repaired.ok, str(repaired)
    repaired.model.save(tmp_path / "repaired.keras")
    loaded = keras.saving.load_model(tmp_path / "repaired.keras")
    np.testing.assert_array_equal(values(loaded(IDS)), values(repaired.model(IDS)))
    assert find_leaks(loaded, IDS).ok


class TestNothingElseChanges:
    def test_a_clear_model_is_given_back_as_it_is(self):
        model = functional(MaskedMean())
        repaired = repair(model, IDS)
        assert repaired.model is model and not repaired.changes and not repaired.left

    @only_numpy
    def test_what_needs_no_mask_stays(self):
        model = functional(layers.Conv1D(4, 3, padding="same"), MaskedMax(), layers.Dropout(0.5))
        x = layers.Dense(3, trainable=False, name="frozen")(model.output)
        repaired = repair(keras.Model(model.input, layers.Softmax()(x * 2)), IDS)
        assert [change.after for change in repaired.changes] == ["MaskedConv1D"]
        assert not repaired.model.get_layer("frozen").trainable

    @only_numpy
    def test_a_change_that_another_makes_needless_is_taken_back(self):
        twice = functional(layers.Conv1D(4, 1), layers.Conv1D(4, 1), layers.GlobalMaxPooling1D())
        repaired = repair(twice, IDS)
        without = [x.path for x in repaired.changes]
        assert repaired.ok and len(set(without)) == len(without)

    @only_numpy
    def test_class_names_and_dtypes_stay(self):
        model = keras.Sequential(
            [
                keras.Input((None,), name="ids"),
                embedding(),
                layers.Conv1D(4, 3, padding="same", dtype="mixed_float16", name="conv"),
                layers.GlobalMaxPooling1D(name="max"),
            ],
            name="model",
        )
        repaired = repair(model, IDS).model
        assert type(repaired) is keras.Sequential and repaired.name == "model"
        assert names(repaired) == names(model)
        assert repaired.get_layer("conv").dtype_policy.name == "mixed_float16"

    @pytest.mark.skipif(keras.backend.backend() == "numpy", reason="it trains nothing")
    def test_a_compiled_model_goes_on_training_where_it_was(self):
        model = functional(layers.Conv1D(4, 3, padding="same"), layers.GlobalMaxPooling1D())
        model.compile("adam", "mse")
        model.fit(IDS, np.ones((2, 4)), verbose=0)
        repaired = repair(model, IDS).model
        assert repaired.loss == "mse" and int(repaired.optimizer.iterations) == 1
        moments = zip(repaired.optimizer.variables, model.optimizer.variables, strict=True)
        for new, old in moments:
            np.testing.assert_array_equal(values(new), values(old))
        repaired.fit(IDS, np.ones((2, 4)), verbose=0)
        assert all(np.isfinite(w).all() for w in repaired.get_weights())

    @only_numpy
    def test_a_loss_without_a_config_is_told(self):
        model = functional(layers.Conv1D(4, 3, padding="same"), layers.GlobalMaxPooling1D())
        model.compile(loss=lambda y, z: ops.mean(y - z))
        repaired = repair(model, IDS)
        assert repaired.ok and [x.why.key for x in repaired.left] == ["compile"]

    @only_numpy
    def test_lambdas_and_activations_without_a_name_are_the_same_functions(self):
        body = layers.Lambda(lambda x: x * 2), layers.Conv1D(2, 1, activation=lambda x: x + 1)
        model = functional(*body, layers.GlobalMaxPooling1D())
        repaired = repair(model, IDS)
        assert repaired.ok, str(repaired)
        full = np.array([[1, 2, 3, 4]])
        np.testing.assert_allclose(values(repaired.model(full)), values(model(full)), atol=1e-6)

    @only_numpy
    def test_a_model_that_would_be_another_one_is_not_given_back(self):
        # order counts after it, so steps that are turned back are other steps
        rnn = layers.SimpleRNN(4, return_sequences=True, go_backwards=True)
        repaired = repair(functional(rnn, layers.GRU(2)), IDS)
        assert not repaired.ok and repaired.left


@only_numpy
class TestCopies:
    """What a config does not tell, and a copy must have all the same."""

    def test_a_class_made_from_tensors_or_layers_stays(self):
        class Trained(keras.Model):
            def train_step(self, *data):
                return {}

        class Stacked(keras.Sequential):
            pass

        inputs = keras.Input((None,), dtype="int32")
        x = layers.GlobalAveragePooling1D()(embedding()(inputs) * 2)
        assert isinstance(repair(Trained(inputs, x), IDS).model, Trained)
        stack = Stacked([keras.Input((None,)), embedding(), layers.GlobalMaxPooling1D()])
        assert isinstance(repair(stack, IDS).model, Stacked)

    def test_a_class_with_an_init_of_its_own_is_told(self):
        class Own(keras.Model):
            def __init__(self, width):
                inputs = keras.Input((None,), dtype="int32")
                x = layers.Embedding(6, width, mask_zero=True)(inputs)
                super().__init__(inputs, layers.GlobalMaxPooling1D()(x))

        repaired = repair(Own(4), IDS)
        assert repaired.ok and "Own" in repaired.to_text()

    def test_without_an_input_any_length_is_taken(self):
        model = keras.Sequential(
            [embedding(), layers.Lambda(lambda x: x * 2), layers.GlobalAveragePooling1D()]
        )
        model(IDS)
        repaired = repair(model, IDS)
        assert repaired.ok, str(repaired)
        np.testing.assert_allclose(values(repaired.model(IDS[:, :2])), values(model(IDS[:, :2])))

    def test_weights_that_a_wrapper_shares_are_refused(self):
        dense = layers.Dense(4)
        inputs = keras.Input((None,), dtype="int32")
        x = layers.TimeDistributed(dense)(dense(embedding()(inputs))) * 2
        model = keras.Model(inputs, layers.GlobalAveragePooling1D()(x))
        repaired = repair(model, IDS)
        assert not repaired.ok and "share weights" in repaired.to_text()

    def test_flags_of_single_weights(self):
        inputs = keras.Input((None,), dtype="int32")
        x = layers.Dense(4, name="dense")(embedding()(inputs)) * 2
        model = keras.Model(inputs, layers.GlobalAveragePooling1D()(x))
        model.get_layer("dense").kernel.trainable = False
        repaired = repair(model, IDS).model
        assert len(repaired.trainable_weights) == len(model.trainable_weights) == 2

    def test_the_policy_of_the_model(self):
        keras.config.set_dtype_policy("mixed_float16")
        model = functional(layers.GlobalMaxPooling1D())
        keras.config.set_dtype_policy("float32")
        assert repair(model, IDS).model.dtype_policy.name == "mixed_float16"

    def test_the_states_of_recurrent_layers(self):
        inputs = keras.Input(batch_shape=(2, None), dtype="int32")
        x = layers.GRU(3, stateful=True)(embedding()(inputs) * 2)
        model = keras.Model(inputs, x)
        model(IDS)
        repaired = repair(model, IDS)
        assert repaired.ok, str(repaired)
        full = np.array([[1, 2], [3, 4]])
        np.testing.assert_allclose(values(repaired.model(full)), values(model(full)), atol=1e-6)

    def test_an_optimizer_of_other_weights_is_told(self):
        model, other = functional(layers.GlobalMaxPooling1D()), layers.Dense(2)
        other.build((2, 2))
        model.compile("sgd", "mse")
        model.optimizer.build(other.trainable_variables + model.trainable_variables)
        repaired = repair(model, IDS)
        assert repaired.ok and repaired.left[0].why.key == "compile"

    @pytest.mark.parametrize("how", ["attribute", "tuple", "nested", "stack"])
    def test_layers_that_own_code_holds_in_any_way(self, how):
        @keras.saving.register_keras_serializable("test")
        class Holder(keras.Model):
            def __init__(self, how):
                super().__init__()
                self.embed, self.how = embedding(), how
                layer = layers.Conv1D(4, 3, padding="same")
                if how == "attribute":
                    self._layer = layer
                elif how == "tuple":
                    self.held = (layer,)
                elif how == "nested":
                    self.held = [{"layer": [layer]}]
                else:
                    self.held = keras.Sequential([layer])
                self.pool = layers.GlobalAveragePooling1D()

            def get_config(self):
                return {"how": self.how}

            def call(self, x):
                x = self.embed(x)
                of = {
                    "attribute": lambda: self._layer,
                    "tuple": lambda: self.held[0],
                    "nested": lambda: self.held[0]["layer"][0],
                    "stack": lambda: self.held,
                }
                return self.pool(of[self.how]()(x))

        model = Holder(how)
        model(IDS)
        before = values(model(IDS))
        repaired = repair(model, IDS)
        assert repaired.ok, str(repaired)
        np.testing.assert_array_equal(values(model(IDS)), before)
        assert len(names(repaired.model)) == len(names(model))


class TestStructures:
    @only_numpy
    def test_a_stack_of_blocks_keeps_the_mask_that_attention_takes(self):
        inputs = keras.Input((None,), dtype="int32")
        x = residual(residual(embedding()(inputs)))
        model = keras.Model(inputs, layers.GlobalAveragePooling1D()(x))
        repaired = repair(model, IDS)
        assert [change.after for change in repaired.changes] == ["MaskedMultiHeadAttention"]

    @only_numpy
    def test_a_nested_model_and_a_shared_layer_stay_so(self):
        inner = keras.Input((None, 4))
        shared = layers.Conv1D(4, 3, padding="same", name="shared")
        encoder = keras.Model(inner, shared(shared(inner)) * 2, name="encoder")
        inputs = keras.Input((None,), dtype="int32")
        x = encoder(encoder(embedding()(inputs)))
        model = keras.Model(inputs, layers.GlobalAveragePooling1D()(x))
        repaired = repair(model, IDS)
        assert repaired.ok, str(repaired)
        assert len(repaired.model.get_weights()) == len(model.get_weights())
        assert len([x for x in repaired.model.layers if x.name == "encoder"]) == 1

    def test_layers_that_a_subclassed_model_holds_are_replaced_in_a_copy(self):
        @keras.saving.register_keras_serializable("test")
        class Holder(keras.Model):
            def __init__(self, **options):
                super().__init__(**options)
                self.embed = embedding()
                self.convolutions = [layers.Conv1D(4, 3, padding="same"), layers.Dense(4)]
                self.by_name = {"pool": layers.GlobalMaxPooling1D()}

            def call(self, x):
                x = self.embed(x)
                for layer in self.convolutions:
                    x = layer(x)
                return self.by_name["pool"](x)

        model = Holder(name="holder")
        model(IDS)
        repaired = repair(model, IDS)
        assert repaired.ok, str(repaired)
        assert {change.code_of for change in repaired.changes} == {"Holder"}
        assert isinstance(repaired.model.by_name["pool"], MaskedMax)
        assert isinstance(model.by_name["pool"], layers.GlobalMaxPooling1D)
        assert names(repaired.model) == names(model)
        assert "Holder makes this layer in its own code" in repaired.to_text(width=400)

    @only_numpy
    def test_code_of_a_model_is_left_with_the_lines_to_write(self):
        repaired = repair(subclassed(lambda self, x: self.embed(x), embed=embedding()), IDS)
        assert repaired.ok  # nothing sums over steps

        @keras.saving.register_keras_serializable("test")
        class Doubles(keras.Model):
            def __init__(self):
                super().__init__()
                self.embed, self.pool = embedding(), layers.GlobalAveragePooling1D()

            def call(self, x):
                return self.pool(self.embed(x) * 2)

        model = Doubles()
        model(IDS)
        repaired = repair(model, IDS)
        assert not repaired.ok
        assert any("KeepMask" in left.lines for left in repaired.left)

    @only_numpy
    def test_a_layer_without_a_config_is_refused_in_one_sentence(self):
        class Odd(layers.Layer):
            def __init__(self, by):
                super().__init__()
                self.by = by

            def get_config(self):
                raise NotImplementedError("no config")

            def call(self, x):
                return x * self.by

        repaired = repair(functional(Odd(2), layers.GlobalAveragePooling1D()), IDS)
        assert not repaired.ok and not repaired.changes
        assert "cannot be copied" in repaired.left[0].why.details["why"]
        assert "get_config" in repaired.to_text()

    @only_numpy
    def test_a_subclassed_model_that_cannot_be_made_again_is_refused(self):
        model = Subclassed(lambda self, x: self.pool(self.embed(x)), {})
        model.embed, model.pool = embedding(), layers.GlobalMaxPooling1D()
        model(IDS)
        repaired = repair(model, IDS)
        assert not repaired.ok and repaired.left[0].why.key == "refused"


class Reading(layers.Layer):
    """It reads indices by two tables, and says nothing of masks."""

    def __init__(self, **options):
        super().__init__(**options)
        self.words, self.more = layers.Embedding(6, 4), layers.Embedding(6, 4)

    def call(self, ids):
        return self.words(ids) + self.more(ids)


class Doubling(layers.Layer):
    def call(self, x):
        return x * 2


class Positioned(layers.Layer):
    def __init__(self, **options):
        super().__init__(**options)
        self.positions = layers.Embedding(200, 4)

    def call(self, x):
        return x + self.positions(ops.arange(ops.shape(x)[1]))


class Attending(layers.Layer):
    """The residual has no mask, since the attention takes it."""

    def __init__(self, **options):
        super().__init__(**options)
        self.attention, self.add = layers.MultiHeadAttention(1, 4), layers.Add()

    def call(self, x):
        return self.add([x, self.attention(x, x)])


class InOrder(keras.Model):
    """Layers called by code."""

    def __init__(self, *held, **options):
        super().__init__(**options)
        self.held = list(held)

    def get_config(self):
        return {"held": [type(x).from_config(x.get_config()) for x in self.held]}

    @classmethod
    def from_config(cls, config):
        return cls(*config["held"])

    def call(self, x):
        for layer in self.held:
            x = layer(x)
        return x


@only_numpy
class TestOwnLayersInCode:
    def repaired(self, *held, batch=IDS, **options):
        model = InOrder(*held, name="model")
        model(batch)
        before = values(model(batch))
        repaired = repair(model, batch, **options)
        np.testing.assert_array_equal(values(model(batch)), before)
        assert repaired.ok, str(repaired)
        return repaired, [(change.after, change.code_of) for change in repaired.changes]

    def test_one_that_reads_indices_says_which_are_padding(self):
        reading = Reading()
        repaired, changes = self.repaired(reading, layers.GlobalAveragePooling1D(), padding=0)
        assert changes == [("compute_mask: ids != 0", "Reading")]
        assert "Write compute_mask: ids != 0 in the code of Reading" in repaired.to_text(width=400)
        assert not reading.supports_masking

    def test_one_that_keeps_the_steps_passes_the_mask_on(self):
        held = embedding(), Doubling(), layers.GlobalAveragePooling1D()
        _, changes = self.repaired(*held)
        assert changes == [("supports_masking = True", "Doubling")]

    def test_attention_in_one_leaves_the_mask_to_the_residual(self):
        held = embedding(), Attending(), layers.GlobalAveragePooling1D()
        _, changes = self.repaired(*held)
        assert changes == [("MaskedMultiHeadAttention", "Attending")]

    def test_a_graph_that_code_holds_is_made_anew(self):
        stack = keras.Sequential([layers.Dense(4), layers.GlobalAveragePooling1D()])
        batch = np.random.default_rng(0).normal(size=(2, 5, 3)).astype("float32")
        batch[0, 3:] = 0
        _, changes = self.repaired(stack, layers.Dense(2), batch=batch, padding=0)
        assert changes == [("Masking(0) → Dense", "InOrder")]


@only_numpy
def test_a_model_of_texts_is_repaired_and_stays_as_it_is():
    reader = layers.TextVectorization(output_sequence_length=4)
    reader.adapt(["a b c d"])
    inputs = keras.Input((1,), dtype="string")
    x = layers.Embedding(9, 4, name="words")(reader(inputs))
    model = keras.Model(inputs, layers.GlobalAveragePooling1D()(x))
    calls = [(len(x._inbound_nodes), len(x._outbound_nodes)) for x in model.layers]
    repaired = repair(model, ["a b c", "d"], padding=0)
    assert [change.after for change in repaired.changes] == ["Embedding(mask_zero=True)"]
    assert calls == [(len(x._inbound_nodes), len(x._outbound_nodes)) for x in model.layers]
    new = next(x for x in repaired.model.layers if isinstance(x, layers.TextVectorization))
    assert new is not reader and new.get_vocabulary() == reader.get_vocabulary()


@only_numpy
class TestPaddedOtherwise:
    """Where that alone is between a model and its repair, `left` has the line, and it works."""

    def test_zeros_where_data_holds_what_padding_holds(self):
        inputs = keras.Input((None, 3))
        model = keras.Model(inputs, layers.LSTM(2)(inputs))
        batch = np.eye(3)[[[1, 0, 2, 0], [2, 1, 0, 0]]]
        padding = np.array([[0, 0, 0, 1], [0, 0, 1, 1]], bool)
        (left,) = repair(model, batch, padding=padding).left
        x = batch.copy()
        exec(left.lines, {"x": x, "padding": padding})
        assert repair(model, x, padding=0).ok and not find_leaks(model, x, padding=0).ok

    def test_on_the_right_where_positions_count(self):
        model = functional(Positioned(), layers.GlobalAveragePooling1D())
        (left,) = repair(model, np.array([[0, 1, 2, 3], [0, 0, 4, 5]])).left
        given = {"sequences": [[1, 2, 3], [4, 5]], "keras": keras}
        exec(left.lines, given)
        assert repair(model, given["x"]).ok


@only_numpy
class TestMasks:
    def test_of_a_softmax_over_the_steps(self):
        inputs, mask = keras.Input((4,), dtype="int32"), keras.Input((4,), dtype="bool")
        scores = layers.Flatten()(layers.Dense(1)(layers.Embedding(6, 4)(inputs)))
        model = keras.Model([inputs, mask], [layers.Activation("softmax")(scores), mask])
        repaired = repair(model, [IDS, IDS != 0])
        assert [x.after for x in repaired.changes] == ["MaskedSoftmax()(scores, mask=mask)"]

    def test_of_one_of_several_inputs_by_its_name(self):
        inputs = [keras.Input((None, 3)), keras.Input((2,))]  # whose names are given by Keras
        x = layers.Concatenate()([layers.GlobalAveragePooling1D()(inputs[0]), inputs[1]])
        batch = np.random.default_rng(0).normal(size=(2, 5, 3)).astype("float32")
        batch[0, 3:] = 0
        padding = {inputs[0].name: 0}
        assert repair(keras.Model(inputs, x), [batch, batch[:, 0, :2]], padding=padding).ok

    @pytest.mark.parametrize("keepdims", [False, True])
    def test_of_a_mean_along_a_negative_axis(self, keepdims):
        inputs = keras.Input((None,), dtype="int32")
        x = ops.mean(embedding()(inputs), axis=-2, keepdims=keepdims)
        repaired = repair(keras.Model(inputs, x), IDS)
        assert [change.after for change in repaired.changes] == ["MaskedMean"]

    @pytest.mark.parametrize("axis", [1, -2])
    def test_of_steps_that_are_flipped(self, axis):
        inputs = keras.Input((None,), dtype="int32")
        x = layers.GRU(3)(ops.flip(embedding()(inputs), axis=axis))
        assert repair(keras.Model(inputs, x), IDS).ok

    def test_of_index_zero(self):
        inputs = keras.Input((None,), dtype="int32")
        x = layers.Embedding(6, 4)(inputs)
        model = keras.Model(inputs, layers.GlobalAveragePooling1D()(x))
        repaired = repair(model, IDS, padding=0)
        assert [x.after for x in repaired.changes] == ["Embedding(mask_zero=True)"]

    def test_of_another_index(self):
        inputs = keras.Input((None,), dtype="int32")
        x = layers.Embedding(6, 4)(inputs)
        model = keras.Model(inputs, layers.GlobalAveragePooling1D()(x))
        ids = np.where(IDS == 0, 5, IDS - 1)
        repaired = repair(model, ids, padding=5)
        assert repaired.ok and "mask=ids != 5" in repaired.changes[0].after

    @pytest.mark.parametrize("side", [slice(3, None), slice(None, 2)])
    def test_of_a_number_that_padded_steps_hold(self, side):
        inputs = keras.Input((None, 3))
        x = layers.GlobalAveragePooling1D()(layers.Dense(4)(inputs))
        batch = np.random.default_rng(0).normal(size=(2, 5, 3)).astype("float32")
        batch[0, side] = -1
        repaired = repair(keras.Model(inputs, x), batch, padding=-1)
        assert repaired.ok and repaired.changes[0].after == "Masking(-1)"

    def test_of_a_step_that_holds_a_vector(self):
        inputs = keras.Input((None, 3))
        x = layers.GlobalAveragePooling1D()(layers.Dense(4)(inputs))
        batch = np.random.default_rng(0).normal(size=(2, 5, 3)).astype("float32")
        batch[0, 3:] = [1, 0, 0]
        repaired = repair(keras.Model(inputs, x), batch, padding=np.array([3, 5]))
        assert repaired.ok and "x != step" in repaired.changes[0].after

    def test_a_maximum_over_zeros_that_only_this_batch_exceeds_is_not_kept(self):
        inputs = keras.Input((None, 1))
        model = keras.Model(inputs, layers.GlobalMaxPooling1D()(inputs))
        batch = np.array([[[4.0], [8.0], [0.0]], [[6.0], [0.0], [0.0]]])
        repaired = repair(model, batch, padding=0)
        assert find_leaks(repaired.model, -batch, padding=0).ok

    def test_that_are_an_input(self):
        inputs, mask = keras.Input((None,), dtype="int32"), keras.Input((None,), dtype="bool")
        x = layers.GlobalAveragePooling1D()(layers.Embedding(6, 4)(inputs))
        repaired = repair(keras.Model([inputs, mask], [x, mask]), [IDS, IDS != 0])
        assert repaired.ok and repaired.changes[0].after.endswith("mask=mask)")

    def test_that_are_handed_to_the_model(self):
        inputs = keras.Input((None, 3))
        x = KeepMask()(inputs) * 2
        model = keras.Model(inputs, layers.GlobalAveragePooling1D()(x))
        batch = np.random.default_rng(0).normal(size=(2, 4, 3)).astype("float32")
        assert repair(model, batch, IDS != 0).ok

    def test_that_nobody_can_know_are_left(self):
        inputs = keras.Input((None, 3))
        model = keras.Model(inputs, layers.GlobalAveragePooling1D()(inputs))
        batch = np.random.default_rng(0).normal(size=(2, 5, 3)).astype("float32")
        repaired = repair(model, batch, padding=np.array([3, 5]))
        assert not repaired.ok and repaired.left


@only_numpy
def test_what_was_not_measured_is_not_repaired():
    noisy = layers.Lambda(lambda x: x + keras.random.normal(ops.shape(x)))
    repaired = repair(functional(noisy, layers.GlobalMaxPooling1D()), IDS)
    assert repaired.before.verdict == "not measured"
    assert not repaired.ok and repaired.left[0].why.key == "not-measured"


@only_numpy
class TestShown:
    @pytest.fixture(scope="class")
    def repaired(self):
        model = functional(layers.Conv1D(4, 3, padding="same"), layers.GlobalMaxPooling1D())
        return repair(model, IDS)

    @pytest.fixture(scope="class")
    def unrepaired(self):
        return repair(functional(layers.LayerNormalization(axis=1), steps=4), IDS)

    @pytest.mark.parametrize("width", [30, 60, 100, 200])
    @pytest.mark.parametrize("language", ["en", "zh"])
    def test_as_text_within_its_width(self, repaired, unrepaired, language, width):
        for x in (repaired, unrepaired):
            text = x.to_text(language, width)
            assert "?" not in text.replace("？", "")
            lines = text.splitlines()
            assert max(sum(1 + (ord(c) > 0x2E7F) for c in line) for line in lines) <= width

    def test_side_by_side_where_there_is_room(self, repaired):
        wide, narrow = repaired.to_text("en", 100), repaired.to_text("en", 60)
        assert any("Before" in line and "After" in line for line in wide.splitlines())
        assert not any("Before" in line and "After" in line for line in narrow.splitlines())

    def test_by_its_schema(self, repaired, unrepaired):
        for x in (repaired, unrepaired):
            document = json.loads(x.to_json())
            validator("repair-1.json").validate(document)
            assert document["ok"] == x.ok

    @pytest.mark.parametrize("suffix", [".txt", ".md", ".html", ".json"])
    def test_in_a_file(self, repaired, tmp_path, suffix):
        repaired.save(tmp_path / f"repair{suffix}", "zh")
        assert [x.name for x in tmp_path.iterdir()] == [f"repair{suffix}"]
        assert "MaskedConv1D" in (tmp_path / f"repair{suffix}").read_text("utf-8")

    def test_another_suffix_is_refused(self, repaired, tmp_path):
        with pytest.raises(ValueError, match=r"'\.svg' names no form"):
            repaired.save(tmp_path / "repair.svg")
        assert not list(tmp_path.iterdir())


@pytest.mark.skipif(
    keras.backend.backend() != "tensorflow", reason="the command line is the same on each backend"
)
class TestCommand:
    @pytest.fixture
    def command(self, tmp_path, monkeypatch, capsys):
        monkeypatch.chdir(tmp_path)
        np.save("ids.npy", IDS)
        np.save("full.npy", IDS + 1)
        functional(layers.GlobalMaxPooling1D()).save("leaky.keras")
        functional(MaskedMax()).save("clear.keras")
        functional(layers.LayerNormalization(axis=1), steps=4).save("left.keras")

        def command(*arguments):
            return main(("repair", *arguments)), *capsys.readouterr()

        return command

    def test_writes_a_model_and_says_what_it_did(self, command, tmp_path):
        status, out, err = command(
            "leaky.keras", "--input", "ids.npy", "--output", "repaired.keras"
        )
        assert status == 0 and "GlobalMaxPooling1D ⇒ MaskedMax" in out
        assert find_leaks(keras.saving.load_model("repaired.keras"), IDS).ok
        assert not list(tmp_path.glob(".*"))

    def test_writes_nothing_where_nothing_is_repaired(self, command, tmp_path):
        status, out, err = command("left.keras", "--input", "ids.npy", "--output", "repaired.keras")
        assert status == 1 and "Left to do" in out
        assert not (tmp_path / "repaired.keras").exists()

    def test_a_clear_model_is_written_as_it_is(self, command):
        status, out, err = command("clear.keras", "--input", "ids.npy", "--output", "same.keras")
        assert status == 0 and "Nothing to repair" in out
        loaded = keras.saving.load_model("same.keras")
        assert isinstance(loaded.layers[-1], MaskedMax)

    def test_replaces_a_file_only_by_force(self, command, tmp_path):
        (tmp_path / "there.keras").write_text("mine")
        given = "leaky.keras", "--input", "ids.npy", "--output", "there.keras"
        status, out, err = command(*given)
        assert status == 2 and "--force" in err and not out
        assert (tmp_path / "there.keras").read_text() == "mine"
        assert command(*given, "--force")[0] == 0
        assert find_leaks(keras.saving.load_model("there.keras"), IDS).ok

    def test_another_suffix_is_refused_before_the_run(self, command, tmp_path):
        status, out, err = command("leaky.keras", "--input", "ids.npy", "--output", "model.h5")
        assert status == 2 and ".keras" in err and not (tmp_path / "model.h5").exists()

    def test_as_json(self, command):
        status, out, err = command("leaky.keras", "--input", "ids.npy", "--json")
        validator("repair-1.json").validate(json.loads(out))

    def test_not_measured_has_a_status_of_its_own(self, command):
        status, out, err = command("leaky.keras", "--input", "full.npy", "--padding", "0")
        assert status in (2, 3) and (out or err)

    def test_keeps_how_the_model_was_compiled(self, command):
        model = functional(layers.GlobalMaxPooling1D())
        model.compile("adam", "mse")
        model.fit(IDS, np.ones((2, 4)), verbose=0)
        model.save("trained.keras")
        assert command("trained.keras", "--input", "ids.npy", "--output", "repaired.keras")[0] == 0
        assert int(keras.saving.load_model("repaired.keras").optimizer.iterations) == 1
