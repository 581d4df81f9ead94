"""What the four probes find, and what they do not accuse."""

import warnings

import keras
import numpy as np
import pytest
from keras import layers, ops
from models import IDS, MASK, Subclassed, embedding, functional, subclassed

from keras_masking import (
    MaskedFlatten,
    MaskedMean,
    MaskedSum,
    UnusableInput,
    assert_no_leaks,
    find_leaks,
)

LEFT = IDS[:, ::-1].copy()
BETWEEN = np.array([[1, 0, 2, 3, 0], [0, 4, 0, 5, 0]])


@pytest.fixture(autouse=True)
def quiet():
    with warnings.catch_warnings():
        warnings.filterwarnings("ignore", message=".*does not support masking.*")
        yield


def custom(call, name="custom", compute_mask=lambda mask: mask):
    """A layer that hands its mask on and computes `call(x, mask)`."""

    class Custom(layers.Layer):
        def __init__(self):
            super().__init__(name=name)
            self.supports_masking = True

        def call(self, x, mask=None):
            return call(x, mask)

        def compute_mask(self, x, previous_mask=None):
            return compute_mask(previous_mask)

    return Custom()


def by_hand(x, mask):
    mask = ops.cast(mask, x.dtype)[..., None]
    return ops.sum(ops.where(mask > 0, x, 0.0), axis=1) / ops.sum(mask, axis=1)


def probes(report, path):
    """The probes that found a leak in this call."""
    index = report.trace[path].index
    return [leak.probe for leak in report.leaks if leak.call == index]


def first(report):
    leak = report.leaks[0]
    return None if leak.call is None else report.trace[leak.call]


class TestHealthyModels:
    # JAX compiles each anew and is given one of the three
    PADDED = {"right": IDS, "left": LEFT, "between": BETWEEN}
    SIDES = list(PADDED)[: 1 if keras.backend.backend() == "jax" else 3]

    @pytest.mark.parametrize("side", SIDES)
    @pytest.mark.parametrize(
        "body",
        [
            [layers.GlobalAveragePooling1D],
            [MaskedMean],
            [lambda: layers.Dense(3), MaskedSum],
            [lambda: layers.LSTM(3)],
            [lambda: layers.Bidirectional(layers.GRU(3, return_sequences=True)), MaskedMean],
            [lambda: layers.LayerNormalization(), lambda: layers.Dropout(0.5), MaskedMean],
            [lambda: layers.BatchNormalization(), MaskedMean],
            [lambda: custom(by_hand, compute_mask=lambda mask: None)],
            [lambda: custom(lambda x, mask: x * 2)],
        ],
    )
    def test_they_are_not_accused(self, side, body):
        assert_no_leaks(functional(*(make() for make in body)), self.PADDED[side])

    def test_a_mean_by_hand_in_a_functional_model(self):
        ids = keras.Input((None,), dtype="int32")
        x = layers.Dense(3)(layers.Embedding(6, 4)(ids))
        mask = ops.expand_dims(ops.cast(ops.not_equal(ids, 0), "float32"), -1)
        mean = ops.sum(x * mask, axis=1) / ops.sum(mask, axis=1)
        assert find_leaks(keras.Model(ids, mean), IDS, mask=MASK).ok

    def test_attention_scores_by_hand(self):
        ids = keras.Input((None,), dtype="int32")
        x = layers.Embedding(6, 4)(ids)
        keys = ops.expand_dims(ops.cast(ops.equal(ids, 0), "float32"), 1)
        scores = ops.softmax(ops.matmul(x, ops.transpose(x, (0, 2, 1))) - 1e9 * keys)
        assert find_leaks(keras.Model(ids, ops.matmul(scores, x)), IDS, mask=MASK).ok

    def test_a_fully_padded_row_is_left_out(self):
        ids = np.array([[1, 2, 0], [0, 0, 0]])
        report = find_leaks(functional(layers.GlobalAveragePooling1D()), ids)
        assert report.ok

    @pytest.mark.parametrize(
        "policy",
        ["float16", "mixed_float16", "mixed_bfloat16"][keras.backend.backend() == "jax" and 2 :],
    )
    def test_rounding_in_half_precision_is_no_leak(self, policy):
        keras.config.set_dtype_policy(policy)
        ids = np.random.default_rng(0).integers(1, 6, (3, 50))
        ids[0, 20:] = ids[1, 35:] = 0
        model = functional(layers.Dense(8, activation="gelu"), layers.Dense(8), MaskedMean())
        assert_no_leaks(model, ids)

    @pytest.mark.skipif(keras.backend.backend() != "tensorflow", reason="others lack float64")
    def test_what_is_put_into_padding_leaves_valid_float64_as_it_is(self):
        keras.config.set_dtype_policy("float64")
        assert_no_leaks(functional(layers.Dense(8), layers.Dense(8), MaskedMean()), IDS)

    @pytest.mark.skipif(keras.backend.backend() == "jax", reason="it has no float64 by default")
    @pytest.mark.parametrize("layer", [layers.LSTM, layers.GRU, layers.SimpleRNN])
    def test_float64_has_the_digits_that_keras_computes_it_with(self, layer):
        keras.config.set_dtype_policy("float64")
        assert_no_leaks(functional(layer(3)), IDS)

    @pytest.mark.parametrize("policy", ["float16", "mixed_float16", "mixed_bfloat16"])
    def test_a_leak_in_half_precision_is_found(self, policy):
        keras.config.set_dtype_policy(policy)
        report = find_leaks(functional(layers.GlobalMaxPooling1D(name="pool")), IDS)
        assert first(report).path == "pool"

    def test_a_model_of_several_inputs_and_outputs(self):
        a, b = (keras.Input((None,), dtype="int32", name=name) for name in "ab")
        encoded = layers.GRU(3)(layers.Embedding(6, 4, mask_zero=True)(a))
        decoded = layers.GRU(3, return_sequences=True)(
            layers.Embedding(6, 4, mask_zero=True)(b), initial_state=encoded
        )
        model = keras.Model({"a": a, "b": b}, {"code": encoded, "out": layers.Dense(2)(decoded)})
        assert_no_leaks(model, {"a": IDS, "b": np.array([[1, 2], [3, 0]])})


class TestLeaks:
    def test_length_and_content_see_a_mean_over_all_steps(self):
        model = functional(custom(lambda x, mask: ops.mean(x, axis=1), name="mean"))
        report = find_leaks(model, IDS)
        assert probes(report, "mean") == ["alone", "length", "content"]
        assert report.leaks[0].remedy.key == "own-call-mask"
        assert not report.ok

    def test_how_much_is_the_largest_difference_at_a_valid_step(self):
        ones = embedding(embeddings_initializer="ones")
        inputs = keras.Input((None,), dtype="int32")
        share = custom(lambda x, mask: ops.mean(ops.cast(mask, x.dtype), axis=1), "share")
        report = find_leaks(keras.Model(inputs, share(ones(inputs))), IDS)
        # of four steps three and two are valid, of eight the same, and alone all are
        alone, length = report.leaks
        assert (alone.probe, length.probe) == ("alone", "length")
        assert alone.amount == pytest.approx(1 - 2 / 4)
        assert alone.relative == pytest.approx(1)
        assert alone.sample == 1
        assert length.amount == pytest.approx(3 / 4 - 3 / 8)
        assert length.relative == pytest.approx(0.5)
        assert length.sample == 0
        assert [probe.result for probe in report.probes[:2]] == pytest.approx([1 / 2, 3 / 8])

    def test_content_sees_what_ignores_the_mask_it_hands_on(self):
        report = find_leaks(functional(layers.GroupNormalization(2, name="norm")), IDS)
        assert probes(report, "norm") == ["alone", "length", "content"]
        assert report.leaks[0].lost_at is None
        assert report.leaks[0].remedy.key == "ignores-normalization"

    def test_content_comes_in_both_signs(self):
        lowest = custom(lambda x, mask: ops.min(x, axis=1), "lowest", lambda mask: None)
        highest = custom(lambda x, mask: ops.max(x, axis=1), "highest", lambda mask: None)
        for layer in (lowest, highest):
            assert "content" in probes(find_leaks(functional(layer), IDS), layer.name)

    def test_company_sees_what_the_longest_neighbour_changes(self):
        def share_of_longest(x, mask):
            lengths = ops.sum(ops.cast(mask, x.dtype), axis=1)
            return by_hand(x, mask) * (lengths / ops.max(lengths))[:, None]

        report = find_leaks(functional(custom(share_of_longest, "share")), IDS)
        assert probes(report, "share") == ["alone", "company"]
        assert {leak.remedy.key for leak in report.leaks} == {"batch"}

    def test_every_leak_is_named_not_only_the_first(self):
        model = functional(
            layers.GroupNormalization(2, name="norm"),
            layers.Dense(4, name="dense"),
            layers.GlobalMaxPooling1D(name="pool"),
        )
        report = find_leaks(model, IDS)
        assert {report.trace[leak.call].path for leak in report.leaks} == {"norm", "pool"}
        assert first(report).path == "norm"

    def test_a_loss_further_up_is_named(self):
        model = functional(
            lambda x: x * 2, layers.Dense(4), layers.GlobalAveragePooling1D(name="pool")
        )
        report = find_leaks(model, IDS)
        assert first(report).path == "pool"
        assert report.trace[report.leaks[0].lost_at].class_name == "Multiply"
        assert report.leaks[0].remedy.key == "operation"

    def test_stacked_attention_names_the_layer_that_took_the_mask(self):
        inputs = keras.Input((None,), dtype="int32")
        x = embedding()(inputs)
        for i in range(2):
            y = layers.MultiHeadAttention(1, 4, name=f"attention_{i}")(x, x)
            x = layers.LayerNormalization()(layers.Add()([x, y]))
        report = find_leaks(keras.Model(inputs, layers.GlobalAveragePooling1D()(x)), IDS)
        assert probes(report, "attention_1") == ["alone", "length", "content"]
        assert first(report).path == "attention_1"
        assert report.trace[report.leaks[0].lost_at].path == "attention_0"
        assert report.leaks[0].remedy.key == "taken"

    def test_a_layer_whose_mask_counts_padding_as_valid(self):
        model = functional(
            custom(lambda x, mask: x * 1, "all", ops.ones_like),
            layers.GlobalAveragePooling1D(name="pool"),
        )
        report = find_leaks(model, IDS)
        assert first(report).path == "pool"
        assert report.trace[report.leaks[0].lost_at].path == "all"
        assert report.leaks[0].remedy.key == "wrong-mask"

    def test_a_layer_that_keras_hands_no_mask_because_it_is_given_two_tensors(self):
        inputs = keras.Input((None,), dtype="int32")
        x = embedding()(inputs)
        state = layers.Dense(3)(layers.GlobalAveragePooling1D()(x))
        model = keras.Model(inputs, layers.GRU(3, name="gru")(x, initial_state=state))
        report = find_leaks(model, IDS)
        assert (first(report).path, report.leaks[0].remedy.key) == ("gru", "not-handed")

    def test_what_reaches_no_result_is_no_leak(self):
        inputs = keras.Input((None,), dtype="int32")
        x = embedding()(inputs)
        unused = ops.max(x, axis=1)
        model = keras.Model(inputs, MaskedMean()(x) + 0 * unused)
        assert find_leaks(model, IDS).ok

    def test_a_replacement_of_this_package_is_named(self):
        report = find_leaks(
            functional(layers.Flatten(name="flatten"), layers.Dense(2), steps=4), IDS
        )
        assert report.leaks[0].replacement == "MaskedFlatten"

    def test_left_padding_shows_what_counts_steps_from_the_front(self):
        def with_positions(x, mask):
            return x + ops.cast(ops.arange(ops.shape(x)[1]), x.dtype)[None, :, None]

        model = functional(custom(with_positions, "positions"), MaskedMean())
        assert find_leaks(model, IDS).ok
        assert probes(find_leaks(model, LEFT), "positions") == ["alone", "length"]

    def test_code_around_layers(self):
        model = subclassed(
            lambda self, x: self.dense(ops.mean(self.embed(x), axis=1)),
            embed=embedding(),
            dense=layers.Dense(2, name="dense"),
        )
        call = first(find_leaks(model, IDS))
        assert (call.kind, call.before, call.after) == ("gap", "embedding", "dense")

    def test_code_in_front_of_a_layer_where_the_mask_was_lost_before(self):
        model = subclassed(
            lambda self, x: self.dense(ops.mean(self.norm(self.embed(x)), axis=1)),
            embed=embedding(),
            norm=layers.RMSNormalization(name="norm"),
            dense=layers.Dense(2, name="dense"),
        )
        report = find_leaks(model, IDS)
        assert (first(report).path, report.leaks[0].place) == ("dense", "before")
        assert report.trace[report.leaks[0].lost_at].path == "norm"

    def test_code_at_the_end_of_a_model_where_the_mask_was_lost_before(self):
        model = subclassed(
            lambda self, x: ops.mean(self.norm(self.embed(x)), axis=1),
            embed=embedding(),
            norm=layers.RMSNormalization(name="norm"),
        )
        report = find_leaks(model, IDS)
        assert (report.leaks[0].call, report.leaks[0].place) == (None, "end")
        assert report.trace[report.leaks[0].lost_at].path == "norm"

    def test_a_layer_behind_code_that_only_some_lengths_show(self):
        def call(self, inputs):
            words = self.mean(self.embed(inputs["ids"]))
            return ops.concatenate([words, self.pool(inputs["series"] * 1)], axis=-1)

        model = Subclassed(
            call, {"embed": embedding(), "mean": MaskedMean(), "pool": layers.GlobalMaxPooling1D()}
        )
        batch = {"ids": IDS, "series": -np.arange(24, 0, -1.0).reshape(2, 4, 3)}
        model(batch)
        report = find_leaks(model, batch, padding={"series": [2, 4]})
        assert {report.trace[leak.call].name for leak in report.leaks} == {model.pool.name}

    def test_a_layer_that_the_model_makes_anew_each_time(self):
        model = subclassed(
            lambda self, x: self.dense(layers.GlobalMaxPooling1D()(self.embed(x))),
            embed=embedding(),
            dense=layers.Dense(2, name="dense"),
        )
        assert first(find_leaks(model, IDS)).class_name == "GlobalMaxPooling1D"


class TestNan:
    def test_a_product_with_the_mask_is_a_hazard_no_leak(self):
        def product(x, mask):
            mask = ops.cast(mask, x.dtype)[..., None]
            return ops.sum(x * mask, axis=1) / ops.sum(mask, axis=1)

        report = find_leaks(functional(custom(product, "mean", lambda mask: None)), IDS)
        assert report.ok
        (hazard,) = report.hazards
        assert (report.trace[hazard.call].path, hazard.probe) == ("mean", "nan")
        assert hazard.amount == np.inf

    def test_every_hazard_is_named(self):
        attention = [layers.Attention(name=name) for name in ("first", "second")]
        model = functional(*(lambda x, layer=layer: layer([x, x]) for layer in attention))
        report = find_leaks(model, IDS)
        assert [report.trace[h.call].path for h in report.hazards] == ["first", "second"]

    def test_a_call_that_leaks_finite_values_is_no_hazard_besides(self):
        report = find_leaks(functional(layers.GroupNormalization(2, name="norm")), IDS)
        assert report.hazards == ()

    def test_nan_that_the_model_itself_puts_into_padding_is_a_leak(self):
        inverse = custom(lambda x, mask: x / ops.cast(mask, x.dtype)[..., None], "inverse")
        product = custom(
            lambda x, mask: ops.sum(x * ops.cast(mask, x.dtype)[..., None], axis=1), "sum"
        )
        report = find_leaks(functional(inverse, product), IDS)
        assert first(report).path == "sum"
        assert report.leaks[0].amount == np.inf


class TestWhatCannotBeProbed:
    def probe(self, report, name):
        return next(probe for probe in report.probes if probe.name == name)

    def test_a_fixed_length(self):
        report = find_leaks(functional(MaskedFlatten(), layers.Dense(2), steps=4), IDS)
        for name in ("alone", "length"):
            probe = self.probe(report, name)
            assert (probe.ran, probe.note) == (False, "fixed-length")
            assert (probe.details, probe.result) == ({"length": "4"}, None)
        assert report.verdict == "clear"  # by content behind the Embedding

    def test_layers_take_shorter_samples_than_their_input_declares(self):
        report = find_leaks(functional(layers.Dense(2), steps=4), IDS)
        alone, length = self.probe(report, "alone"), self.probe(report, "length")
        assert (alone.ran, alone.note) == (True, "beyond-its-input")
        assert length.ran and report.verdict == "clear"

    def test_a_batch_of_one(self):
        probe = self.probe(find_leaks(functional(), IDS[:1]), "company")
        assert (probe.ran, probe.note) == (False, "one-sample")

    def test_padding_is_put_where_there_is_none(self):
        report = find_leaks(functional(layers.GlobalMaxPooling1D(name="pool")), IDS[:, :2])
        assert [note.key for note in report.notes] == ["steps-padded"]
        assert report.trace["embedding"].mask.tolist() == [[True, False], [True, True]]
        assert "content" in probes(report, "pool")

    def test_a_length_that_a_first_batch_has_fixed_in_name_only(self):
        model = keras.Sequential([embedding(), MaskedMean()])
        model(IDS)
        assert self.probe(find_leaks(model, IDS), "length").ran

    def test_a_model_without_masks_on_its_tensors(self):
        model = keras.Sequential([keras.Input((None,), dtype="int32"), layers.Embedding(6, 4)])
        assert find_leaks(model, IDS, padding=0).verdict == "clear"

    def test_no_padding_and_nothing_that_says_what_it_would_hold(self):
        report = find_leaks(
            keras.Sequential([keras.Input((None, 2)), layers.LSTM(2)]),
            np.ones((2, 3, 2)),
            padding=np.zeros((2, 3), bool),
        )
        assert report.verdict == "not measured"
        assert [note.key for note in report.notes] == ["no-padding"]

    def test_a_table_of_positions_that_ends_soon_gets_one_step_more(self):
        table = ops.ones((1, 5, 4))
        model = subclassed(
            lambda self, x: self.mean(self.add(self.embed(x))),
            embed=embedding(),
            add=custom(lambda x, mask: x + table[:, : x.shape[1]]),
            mean=MaskedMean(),
        )
        report = find_leaks(model, IDS)
        assert self.probe(report, "length").ran
        assert report.ok

    def test_a_model_that_raises_on_more_steps(self):
        def only_four(self, x):
            if x.shape[1] != 4:
                raise ValueError("four steps\nand no more")
            return self.embed(x)

        probe = self.probe(find_leaks(subclassed(only_four, embed=embedding()), IDS), "length")
        assert (probe.ran, probe.note) == (False, "raised")
        assert probe.details == {"error": "ValueError: four steps"}

    def test_a_model_that_takes_another_path(self):
        model = subclassed(
            lambda self, x: (self.short if x.shape[1] < 5 else self.long)(self.embed(x)),
            embed=embedding(),
            short=layers.Dense(2),
            long=layers.LSTM(2),
        )
        model(BETWEEN)
        assert self.probe(find_leaks(model, IDS), "length").note == "other-path"

    def test_a_layer_whose_padding_is_unknown(self):
        ends = layers.Lambda(lambda x: x, mask=lambda x, mask: ops.max(x, axis=-1) < 9, name="ends")
        inputs = keras.Input((None, 1))
        model = keras.Model(inputs, layers.GlobalAveragePooling1D()(ends(inputs)))
        x = np.array([[[1.0], [2.0]], [[3.0], [4.0]]], "float32")
        assert find_leaks(model, x).verdict == "not measured"
        x[0, 1] = 9
        assert self.probe(find_leaks(model, x), "length").ran


class TestInputs:
    def test_a_mask_is_given(self):
        model = keras.Sequential(
            [keras.Input((None, 2)), layers.Dense(3), layers.GlobalMaxPooling1D(name="pool")]
        )
        x = np.random.default_rng(0).normal(size=(2, 4, 2)).astype("float32")
        report = find_leaks(model, x, mask=MASK)
        assert "content" in probes(report, "pool")

    def test_a_model_that_makes_no_mask_needs_one(self):
        model = keras.Sequential(
            [
                keras.Input((None,), dtype="int32"),
                layers.Embedding(6, 4, name="words"),
                layers.GlobalAveragePooling1D(name="pool"),
            ]
        )
        (leak, *_) = find_leaks(model, IDS, padding=0).leaks
        assert (leak.probe, leak.remedy.key) == ("alone", "mask-zero")
        assert leak.remedy.details == {"embedding": "words"}

    def test_an_input_may_be_the_mask(self):
        tokens = keras.Input((None,), dtype="int32", name="token_ids")
        mask = keras.Input((None,), dtype="int32", name="padding_mask")
        x = layers.Embedding(6, 4)(tokens)
        weights = ops.expand_dims(ops.cast(mask, "float32"), -1)
        right = ops.sum(x * weights, axis=1)
        batch = {"token_ids": IDS, "padding_mask": MASK.astype(int)}
        named = {"token_ids": tokens, "padding_mask": mask}
        assert find_leaks(keras.Model(named, right), batch).ok
        wrong = layers.GlobalMaxPooling1D(name="pool")(x)
        report = find_leaks(keras.Model(named, [wrong, right]), batch)
        assert "content" in probes(report, "pool")

    def test_masking_makes_the_mask_anew_whatever_else_changes(self):
        model = keras.Sequential([keras.Input((None, 1)), layers.Masking(), MaskedMean()])
        assert_no_leaks(model, np.array([[[4.0], [8], [0]], [[6], [0], [0]]]))

    def test_a_mask_may_be_made_from_a_slice_of_the_input(self):
        model = subclassed(
            lambda self, x: self.pool(self.embed(x[:, :-1])),
            embed=embedding(),
            pool=layers.GlobalMaxPooling1D(name="pool"),
        )
        assert first(find_leaks(model, IDS)).path == "pool"

    def test_a_mask_may_be_made_behind_a_layer(self):
        model = keras.Sequential(
            [keras.Input((None, 1)), layers.Rescaling(2.0), layers.Masking(), MaskedMean()]
        )
        x = np.array([[[4.0], [8], [0]], [[6], [0], [0]]])
        assert_no_leaks(model, x)

    def test_masking_says_what_padding_is(self):
        model = keras.Sequential(
            [
                keras.Input((None, 1)),
                layers.Masking(-1.0),
                layers.Dense(2),
                layers.GlobalMaxPooling1D(name="pool"),
            ]
        )
        x = np.array([[[1.0], [2.0], [-1.0]], [[3.0], [-1.0], [-1.0]]], "float32")
        for sign in (1, -1):  # one of them makes the zeros of padding the largest value
            model.layers[1].kernel.assign(sign * np.ones((1, 2)))
            report = find_leaks(model, x)
            assert report.ok == (sign > 0)
            assert any(hazard.probe == "content" for hazard in report.hazards) == (sign > 0)

    def test_nothing_says_what_padding_is(self):
        model = keras.Sequential([keras.Input((None, 2)), layers.Dense(3)])
        with pytest.raises(UnusableInput, match="say it with padding="):
            find_leaks(model, np.ones((2, 4, 2), "float32"))

    def test_the_input_stays_as_it_is(self):
        x = IDS.copy()
        find_leaks(functional(layers.GlobalMaxPooling1D()), x)
        np.testing.assert_array_equal(x, IDS)


class TestRandomModels:
    def noisy(self):
        class Noise(layers.Layer):
            def __init__(self, **options):
                super().__init__(**options)
                self.seeds = keras.random.SeedGenerator(0)
                self.supports_masking = True

            def call(self, x):
                return x + keras.random.normal(ops.shape(x), seed=self.seeds)

        return functional(Noise(name="noise"), layers.GlobalMaxPooling1D())

    def test_they_are_reported_as_such_and_not_as_leaking(self):
        report = find_leaks(self.noisy(), IDS)
        assert report.random == "noise"
        assert report.verdict == "not measured" and report.probes == ()

    def test_code_around_layers_may_be_random(self):
        seeds = keras.random.SeedGenerator(0)
        model = subclassed(
            lambda self, x: (
                self.embed(x) + keras.random.normal((2, x.shape[1], 4), seed=self.seeds)
            ),
            embed=embedding(),
            seeds=seeds,
        )
        assert find_leaks(model, IDS).random == "model"

    @pytest.mark.skipif(keras.backend.backend() == "jax", reason="which JAX refuses")
    def test_a_layer_may_draw_from_the_generator_of_all(self):
        class Noise(layers.Layer):
            def __init__(self):
                super().__init__(name="noise")
                self.supports_masking = True

            def call(self, x):
                return x + keras.random.normal(ops.shape(x))

        report = find_leaks(functional(Noise(), MaskedMean()), IDS)
        assert (report.verdict, report.random) == ("not measured", "noise")

    def test_they_do_not_pass_an_assertion(self):
        with pytest.raises(AssertionError, match="noise"):
            assert_no_leaks(self.noisy(), IDS)

    def test_random_layers_of_keras_run_in_inference_mode(self):
        model = functional(layers.Dropout(0.9), layers.GaussianNoise(0.9), MaskedMean())
        assert_no_leaks(model, IDS)


def test_the_model_is_the_same_after_as_before():
    model = functional(layers.BatchNormalization(), layers.GlobalMaxPooling1D())
    before = [ops.convert_to_numpy(variable) for variable in model.variables]
    expected = ops.convert_to_numpy(model(IDS))
    find_leaks(model, IDS)
    for variable, value in zip(model.variables, before, strict=True):
        np.testing.assert_array_equal(ops.convert_to_numpy(variable), value)
    np.testing.assert_array_equal(ops.convert_to_numpy(model(IDS)), expected)


def test_a_stateful_model_is_not_taken_for_random():
    inputs = keras.Input((4,), batch_size=2, dtype="int32")
    model = keras.Model(inputs, layers.GRU(3, stateful=True)(embedding()(inputs)))
    model(IDS)
    report = find_leaks(model, IDS)
    assert report.random is None and report.ok


def test_an_assertion_says_what_leaks_and_what_to_do():
    model = functional(layers.GlobalMaxPooling1D(name="pool"))
    report = find_leaks(model, IDS)
    with pytest.raises(AssertionError) as caught:
        assert_no_leaks(model, IDS)
    said = " ".join(str(caught.value).replace("│", " ").split())
    assert "Padding leaks in pool" in said
    assert report.remedy(report.leaks[0]) in said
