"""The right verdict for small models whose truth is known by hand or by brute force."""

import warnings

import keras
import numpy as np
import pytest
from keras import layers, ops
from models import IDS, MASK, Subclassed, embedding, functional, not_on_jax

from keras_masking import (
    KeepMask,
    MaskedConv1DTranspose,
    MaskedFlatten,
    MaskedMean,
    MaskedSum,
    MaskedTimeDistributed,
    UnusableInput,
    assert_no_leaks,
    find_leaks,
    trace,
)

FULL = np.array([[1, 2, 3, 4], [5, 1, 0, 0]])
FEATURES = np.random.default_rng(0).normal(size=(2, 4, 3)).astype("float32")
FEATURES[~MASK] = 0


@pytest.fixture(autouse=True)
def quiet():
    with warnings.catch_warnings():
        warnings.filterwarnings("ignore", message=".*does not support masking.*")
        yield


def varied(model):
    """The model with weights that are not zero anywhere."""
    random = np.random.default_rng(1)
    for weight in model.weights:
        weight.assign(random.normal(size=weight.shape))
    return model


def words(call, **options):
    """A model of indices, computed from them and from their masked embeddings."""
    ids = keras.Input((None,), dtype="int32", name="ids")
    table = layers.Embedding(9, 4, **{"mask_zero": True, "name": "words"} | options)
    return varied(keras.Model(ids, call(ids, table(ids))))


def series(call, steps=None):
    x = keras.Input((steps, 3), name="series")
    return varied(keras.Model(x, call(x)))


def mask_of(ids):
    return ops.cast(ops.not_equal(ids, 0), "float32")[..., None]


def paths(report):
    return {report.trace[leak.call].path for leak in report.leaks if leak.call is not None}


def ran(report):
    return {probe.name for probe in report.probes if probe.ran}


@not_on_jax
class TestForgottenMasks:
    @pytest.mark.parametrize(
        "layer",
        [
            layers.LSTM(4, name="reads"),
            layers.GlobalAveragePooling1D(name="reads"),
            layers.Conv1D(2, 3, padding="same", name="reads"),
        ],
    )
    def test_no_layer_makes_a_mask(self, layer):
        report = find_leaks(series(lambda x: layer(layers.Dense(4)(x))), FEATURES, padding=0)
        assert paths(report) == {"reads"}
        assert report.leaks[0].remedy.key == "no-mask"

    @pytest.mark.parametrize("steps", [4, 5, 6])
    def test_windows_that_lie_in_the_data_see_no_padding(self, steps):
        x = np.random.default_rng(0).normal(size=(2, steps, 3)).astype("float32")
        x[0, 3:] = x[1, 2:] = 0
        model = series(lambda y: layers.Conv1D(2, 3)(layers.Dense(4)(y)))
        assert find_leaks(model, x, padding=0).ok

    def test_a_fixed_length_without_mask_zero(self):
        ids = keras.Input((4,), dtype="int32")
        x = layers.LSTM(4, name="lstm")(layers.Embedding(10, 3, name="words")(ids))
        model = varied(keras.Model(ids, layers.Dense(1)(x)))
        report = find_leaks(model, IDS, padding=0)
        assert paths(report) == {"lstm"}
        assert report.leaks[0].remedy.details == {"embedding": "words"}
        mended = keras.Model(
            ids, model.layers[3](model.layers[2](layers.Embedding(10, 3, mask_zero=True)(ids)))
        )
        assert find_leaks(mended, IDS).ok

    def test_an_embedding_without_mask_zero_is_named(self):
        model = words(lambda _, x: layers.GlobalAveragePooling1D()(x), mask_zero=False)
        report = find_leaks(model, IDS, padding=0)
        assert report.leaks[0].remedy.key == "mask-zero"
        assert report.leaks[0].replacement is None

    def test_a_mask_given_in_production(self):
        model = series(lambda x: layers.LSTM(3)(x))
        assert find_leaks(model, FEATURES, mask=MASK).ok
        assert not find_leaks(model, FEATURES, padding=~MASK).ok


masks_of_videos = pytest.mark.skipif(
    keras.backend.backend() != "tensorflow", reason="ConvLSTM2D of other backends raises on a mask"
)


@not_on_jax
class TestMasksThatAreArguments:
    """Its inputs carry none: what its layers know is what its `call` tells them."""

    class Model(keras.Model):
        def __init__(self, uses):
            super().__init__()
            self.uses, self.mean = uses, MaskedMean()
            self.built = True

        def call(self, x, mask=None):
            return self.mean(x, mask=mask) if self.uses else self.mean(x)

    @pytest.mark.parametrize(("uses", "verdict"), [(True, "clear"), (False, "leaks")])
    def test_what_its_layers_are_not_told_they_do_not_know(self, uses, verdict):
        mask = np.arange(4) < [[3], [2]]
        model, x = self.Model(uses), FEATURES * mask[..., None]
        alone = np.asarray(model(x[1:, :2], mask=mask[1:, :2]))
        same = np.allclose(np.asarray(model(x, mask=mask))[1:], alone)
        assert same == (verdict == "clear")
        assert find_leaks(model, x, mask=mask).verdict == verdict


@not_on_jax
class TestVideos:
    rng = np.random.default_rng(0)
    frames = rng.normal(size=(2, 4, 5, 5, 1)).clip(0).astype("float32")
    frames[~MASK] = 0

    def model(self, masking):
        x = keras.Input((None, 5, 5, 1), name="frames")
        core = layers.ConvLSTM2D(
            2, 3, padding="same", bias_initializer="random_normal", name="conv_lstm"
        )
        return keras.Model(x, core(layers.Masking(name="masking")(x) if masking else x))

    def test_without_a_mask(self):
        report = find_leaks(self.model(False), self.frames, padding=0)
        assert paths(report) == {"conv_lstm"}
        assert report.leaks[0].remedy.key == "no-mask-wide"

    @masks_of_videos
    def test_masking_makes_an_entry_for_each_row_of_pixels(self):
        report = find_leaks(self.model(True), self.frames, padding=~MASK)
        assert report.verdict == "clear"  # what is black is skipped alone too
        for language in ("en", "zh"):
            report.to_text(language)

    @masks_of_videos
    def test_a_mask_by_hand(self):
        x = keras.Input((None, 5, 5, 1), name="frames")
        told = keras.Input((None,), dtype="bool", name="frame_mask")
        core = layers.ConvLSTM2D(2, 3, padding="same")
        model = keras.Model([x, told], core(x, mask=told))
        assert find_leaks(model, {"frames": self.frames, "frame_mask": MASK}).ok

    @pytest.mark.parametrize(
        "wrapper, masking, ok",
        [
            (layers.TimeDistributed, None, False),
            (MaskedTimeDistributed, np.full((1, 5, 5, 1), -2.0, "float32"), True),
        ],
    )
    def test_a_network_on_each_frame(self, wrapper, masking, ok):
        frames = np.where(MASK[..., None, None, None], self.frames, -2).astype("float32")
        x = keras.Input((None, 5, 5, 1), name="frames")
        net = keras.Sequential(
            [keras.Input((5, 5, 1)), layers.Conv2D(2, 3), layers.GlobalAveragePooling2D()]
        )
        y = x if masking is None else layers.Masking(masking)(x)
        model = keras.Model(x, layers.LSTM(3, name="lstm")(wrapper(net, name="each")(y)))
        report = find_leaks(varied(model), frames, padding=-2)
        assert report.ok == ok
        if not ok:
            assert paths(report) == {"lstm"}

    def test_a_convolution_over_steps_and_features(self):
        x = np.random.default_rng(0).normal(size=(2, 6, 4, 1)).astype("float32")
        x[1, 3:] = 0
        inputs = keras.Input((None, 4, 1))
        conv = layers.Conv2D(2, 3, padding="same", name="conv")
        y = layers.GlobalAveragePooling2D(name="mean")(conv(layers.Masking()(inputs)))
        report = find_leaks(varied(keras.Model(inputs, y)), x)
        assert report.verdict == "leaks" and "mean" in paths(report)
        for leak in report.leaks:
            assert "the mask as an argument" not in report.remedy(leak)


@not_on_jax
class TestMasksThatAreInputs:
    def model(self, name, right):
        ids = keras.Input((None,), dtype="int32", name="ids")
        told = keras.Input((None,), dtype="bool", name=name)
        x = layers.Embedding(9, 4)(ids)
        mask = told if name == "valid" else ops.logical_not(told)
        y = layers.GlobalAveragePooling1D()(x, mask=mask if right else None)
        return varied(keras.Model({"ids": ids, name: told}, y))

    @pytest.mark.parametrize("right", [True, False])
    def test_true_is_valid(self, right):
        assert find_leaks(self.model("valid", right), {"ids": IDS, "valid": MASK}).ok == right

    @pytest.mark.parametrize("name", ["clicked", "label_mask"])
    def test_a_feature_of_each_step_is_none(self, name):
        ids = keras.Input((None,), dtype="int32", name="ids")
        flags = keras.Input((None,), dtype="bool", name=name)
        both = [embedding("words")(ids), ops.cast(flags, "float32")[..., None]]
        x = layers.Concatenate()(both)
        right, wrong = (layers.GRU(3)(x, mask=mask) for mask in (ops.not_equal(ids, 0), None))
        batch = {"ids": IDS, name: np.array([[1, 0, 0, 0], [1, 1, 0, 0]], bool)}
        for y, ok in ((right, True), (wrong, False)):
            assert find_leaks(varied(keras.Model({"ids": ids, name: flags}, y)), batch).ok == ok

    @pytest.mark.parametrize("right", [True, False])
    def test_true_is_padding(self, right):
        model, batch = (
            self.model("key_padding_mask", right),
            {"ids": IDS, "key_padding_mask": ~MASK},
        )
        with pytest.raises(UnusableInput, match="say it with padding="):
            find_leaks(model, batch)
        assert find_leaks(model, batch, padding={"ids": 0}).ok == right


@not_on_jax
class TestOneInputOfSeveral:
    @pytest.mark.parametrize("steps", [3, 4])
    def test_a_complete_sequence_beside_a_padded_one(self, steps):
        past, future = keras.Input((None, 3), name="past"), keras.Input((None, 1), name="future")
        h = layers.LSTM(4)(layers.Masking()(past))
        g = layers.GlobalAveragePooling1D(name="future_mean")(future)
        model = varied(keras.Model([past, future], layers.Concatenate()([h, g])))
        f = np.random.default_rng(1).normal(size=(2, steps, 1)).astype("float32")
        assert find_leaks(model, [FEATURES, f]).ok

    def test_what_is_taken_as_complete_is_told(self):
        ids, memory, user = (
            keras.Input((size,), dtype="int32", name=name)
            for name, size in (("ids", None), ("memory", None), ("user", 3))
        )
        seen = layers.GlobalAveragePooling1D()(layers.Embedding(9, 4)(memory))
        read = MaskedMean()(embedding("words")(ids))
        both = layers.Concatenate()([read, seen, ops.cast(user, "float32")])
        model = varied(keras.Model([ids, memory, user], both))
        batch = [IDS, np.array([[1, 2, 3], [4, 0, 0]]), np.ones((2, 3), int)]
        report = find_leaks(model, batch)
        assert report.ok
        assert [note.details for note in report.notes] == [{"inputs": "'memory'"}]
        assert find_leaks(model, batch, padding={"memory": None}).notes == ()
        assert not find_leaks(model, batch, padding={"memory": 0}).ok

    def test_indices_of_a_fixed_length_may_be_padded_too(self):
        ids, memory = (keras.Input((4,), dtype="int32", name=name) for name in ("ids", "memory"))
        seen = layers.GlobalAveragePooling1D()(layers.Embedding(9, 4)(memory))
        both = layers.Concatenate()([MaskedMean()(embedding("words")(ids)), seen])
        report = find_leaks(varied(keras.Model([ids, memory], both)), [IDS, FULL])
        assert [note.details for note in report.notes] == [{"inputs": "'memory'"}]

    def test_one_padded_step_does_not_show_that_another_input_has_it_too(self):
        def call(self, inputs):
            ids, events = inputs
            return ops.concatenate([self.mean(self.embed(ids)), self.pool(events)], axis=-1)

        parts = {"embed": embedding(), "mean": MaskedMean()}
        model = Subclassed(call, parts | {"pool": layers.GlobalAveragePooling1D()})
        batch = [np.array([[1, 2, 3, 0]]), np.ones((1, 4, 3), "float32") + FEATURES[:1]]
        model([ops.convert_to_tensor(x) for x in batch])
        assert find_leaks(model, batch).ok

    @pytest.mark.parametrize("steps", [3, 4])
    def test_candidates_beside_a_history(self, steps):
        history, candidates = (keras.Input((None,), dtype="int32", name=n) for n in "hc")
        user = layers.GRU(4)(layers.Embedding(10, 4, mask_zero=True)(history))
        items = layers.Embedding(10, 4)(candidates)
        scores = ops.softmax(ops.einsum("bd,bcd->bc", user, items))
        model = varied(keras.Model([history, candidates], scores))
        chosen = np.random.default_rng(0).integers(0, 10, (2, steps))
        assert find_leaks(model, [IDS, chosen]).ok

    @pytest.mark.parametrize("steps", [3, 4])
    @pytest.mark.parametrize("said", [None, "mask", "padding"])
    def test_the_masked_one_may_be_the_second(self, steps, said):
        image, ids = keras.Input((None, 4), name="image"), keras.Input((None,), name="ids")
        x = embedding()(ids)
        seen = layers.MultiHeadAttention(1, 4, name="cross")(x, image)
        model = varied(keras.Model([image, ids], layers.LayerNormalization()(x + seen)))
        pixels = np.random.default_rng(0).normal(size=(2, steps, 4)).astype("float32")
        options = {
            None: {},
            "mask": {"mask": [None, MASK]},
            "padding": {"padding": {"image": None}},
        }[said]
        assert find_leaks(model, [pixels, IDS], **options).ok

    def test_which_code_has_changed(self):
        def call(self, inputs):
            history, candidates = inputs
            user = self.read(self.embed(history % 9))
            return ops.einsum("bd,bcd->bc", user, self.items(candidates % 9))

        parts = {"embed": embedding(), "read": MaskedMean(), "items": layers.Embedding(9, 4)}
        model = Subclassed(call, parts)
        batch = [IDS, np.array([[8, 6, 5, 2], [3, 1, 2, 2]])]
        model([ops.convert_to_tensor(x) for x in batch])
        assert find_leaks(model, batch, padding=[0, None]).ok

    def test_in_a_subclassed_model(self):
        def call(self, inputs):
            image, ids = inputs
            return self.cross(self.embed(ids), image)

        parts = {"embed": embedding(), "cross": layers.MultiHeadAttention(1, 4)}
        for steps in (3, 4):
            model = Subclassed(call, parts)
            pixels = np.random.default_rng(0).normal(size=(2, steps, 4)).astype("float32")
            model([ops.convert_to_tensor(pixels), ops.convert_to_tensor(IDS)])
            assert find_leaks(model, [pixels, IDS]).ok

    @pytest.mark.parametrize("features", [3, 4])
    def test_features_are_no_steps(self, features):
        class MeanByLength(layers.Layer):
            def call(self, x, mask=None):
                total = ops.sum(ops.where(mask[..., None], x, 0.0), 1)
                return total / ops.cast(ops.shape(x)[1], "float32")

            def compute_mask(self, x, mask=None):
                return None

        ids = keras.Input((None,), dtype="int32", name="ids")
        user = keras.Input((features,), name="user")
        mean = MeanByLength(name="mean")(embedding()(ids))
        model = keras.Model([ids, user], layers.Concatenate()([mean, layers.Dense(2)(user)]))
        x = np.random.default_rng(0).normal(size=(2, features)).astype("float32")
        report = find_leaks(varied(model), [IDS, x])
        assert paths(report) == {"mean"}
        assert {leak.probe for leak in report.leaks} == {"alone", "length"}

    @pytest.mark.parametrize("leaky", [False, True])
    def test_multiple_choice_with_a_mask_of_three_axes(self, leaky):
        class Select(layers.Layer):
            def __init__(self, k):
                super().__init__()
                self.k = k

            def call(self, x):
                return x[:, self.k]

        a, b = keras.Input((None,), dtype="int32"), keras.Input((None,), dtype="int32")
        x = layers.Embedding(9, 4)(a)
        x = x + layers.MultiHeadAttention(1, 4)(x, x, attention_mask=b[:, None])
        pool = layers.GlobalAveragePooling1D()
        encoder = keras.Model([a, b], layers.Dense(1)(pool(x) if leaky else pool(x, mask=b)))
        names = "token_ids", "padding_mask"
        inputs = {name: keras.Input((2, None), dtype="int32", name=name) for name in names}
        scores = [encoder([Select(k)(inputs[name]) for name in names]) for k in (0, 1)]
        model = varied(keras.Model(inputs, layers.Softmax()(layers.Concatenate()(scores))))
        ids = np.array([[[5, 6, 0, 0], [1, 2, 0, 0]], [[1, 2, 3, 4], [4, 3, 2, 1]]])
        batch = {"token_ids": ids, "padding_mask": (ids != 0).astype("int32")}
        report = find_leaks(model, batch)
        assert report.verdict == ("leaks" if leaky else "clear")
        assert "alone" in ran(report)


class ZeroPadded(layers.Layer):
    """Writes zeros into padded steps and hands the mask on."""

    def __init__(self):
        super().__init__()
        self.supports_masking = True

    def call(self, x, mask=None):
        return ops.where(mask[..., None], x, 0.0)


class Centred(layers.Layer):
    """Takes the mean over all steps away, so that the rest sums up to rounding noise."""

    def __init__(self):
        super().__init__()
        self.supports_masking = True

    def call(self, x):
        return x - ops.mean(x, axis=1, keepdims=True)


class TestRightByWhatTheLayersWrite:
    @pytest.mark.parametrize(
        "call",
        {
            "zeros of Bidirectional": lambda ids, x: ops.sum(
                layers.Bidirectional(layers.LSTM(2, return_sequences=True))(x), axis=1
            ),
            "zeros of RNN": lambda ids, x: ops.sum(
                layers.RNN(layers.GRUCell(3), return_sequences=True, zero_output_for_mask=True)(x),
                axis=1,
            ),
            "Multiply by the mask": lambda ids, x: ops.sum(
                layers.Multiply()([x, mask_of(ids)]), axis=1
            ),
            "where by the mask": lambda ids, x: ops.sum(
                ops.where(ops.not_equal(ids, 0)[..., None], x, 0.0), axis=1
            ),
            "own zeros": lambda ids, x: ops.sum(ZeroPadded()(x), axis=1),
            "own zeros, masked sum": lambda ids, x: MaskedSum()(ZeroPadded()(x)),
            "last step of an LSTM": lambda ids, x: layers.LSTM(3, return_sequences=True)(x)[:, -1],
            "repeated output": lambda ids, x: layers.GlobalMaxPooling1D()(
                layers.LSTM(3, return_sequences=True)(x)
            ),
        }.values(),
    )
    def test_of_indices(self, call):
        assert find_leaks(words(call), FULL).ok

    @pytest.mark.parametrize(
        "call",
        [
            lambda x: ops.sum(layers.Masking()(x), axis=1),
            lambda x: ops.sum(layers.Dense(2, use_bias=False)(layers.Masking()(x)), axis=1),
            lambda x: layers.Conv1D(2, 3, padding="same")(layers.Masking()(x)),
        ],
    )
    def test_of_features(self, call):
        assert find_leaks(series(call), FEATURES).ok

    def test_a_result_that_is_nothing_but_rounding(self):
        report = find_leaks(
            series(lambda x: ops.sum(Centred()(layers.Masking()(x)), axis=1)), FEATURES
        )
        assert report.ok


class TestLeaksThatHide:
    @pytest.mark.parametrize("ids", [FULL, IDS])
    def test_padded_zeros_win_a_maximum(self, ids):
        model = words(
            lambda i, x: layers.GlobalMaxPooling1D()(
                layers.Dense(4, activation="tanh")(x) * mask_of(i)
            )
        )
        model.get_layer("words").embeddings.assign(
            -np.abs(np.random.default_rng(0).normal(size=(9, 4)))
        )
        kernel = next(layer for layer in model.layers if isinstance(layer, layers.Dense))
        kernel.set_weights([np.eye(4), np.zeros(4)])
        report = find_leaks(model, ids)
        assert report.verdict == "leaks"
        assert report.probes[0].result > 0

    @pytest.mark.parametrize("dtype", [None, "int32"])
    def test_a_table_of_positions_as_long_as_the_batch(self, dtype):
        class TokenAndPosition(layers.Layer):
            def __init__(self):
                super().__init__()
                self.tokens, self.places = layers.Embedding(9, 4), layers.Embedding(4, 4)

            def call(self, x):
                return self.tokens(x) + self.places(ops.arange(ops.shape(x)[-1]))

            def build(self, shape):
                self.tokens.build(shape)
                self.places.build(shape)

            def compute_output_shape(self, shape):
                return (*shape, 4)

        ids = keras.Input((None,), dtype=dtype)
        x = TokenAndPosition()(ids)
        x = layers.MultiHeadAttention(1, 4)(x, x)
        model = varied(keras.Model(ids, layers.GlobalAveragePooling1D()(x)))
        assert find_leaks(model, IDS, padding=0).verdict == "leaks"

    @pytest.mark.parametrize("dtype", [None, "int32"])
    def test_indices_stay_indices(self, dtype):
        ids = keras.Input((None,), dtype=dtype)
        x = layers.Embedding(9, 4)(ids)
        right = layers.GlobalAveragePooling1D()(x, mask=ops.not_equal(ids, 0))
        report = find_leaks(varied(keras.Model(ids, right)), IDS, padding=0)
        assert report.ok and not any(probe.note == "raised" for probe in report.probes)

    def test_indices_that_code_turns_round_stay_indices(self):
        """Another number than an index makes gradients nan on JAX."""
        ids, mask = keras.Input((None,), name="ids"), keras.Input((None,), name="padding_mask")
        x = layers.Embedding(9, 4)(ops.flip(ids, axis=1))
        x = layers.Multiply()([x, layers.Dense(4)(x)])
        y = MaskedMean()(x, mask=ops.flip(ops.cast(mask, "bool"), axis=1))
        batch = [IDS, IDS != 0]
        report = find_leaks(varied(keras.Model([ids, mask], y)), batch)
        assert report.verdict == "clear"

    def test_steps_beside_the_border_of_a_transposed_convolution(self):
        """Each step becomes two, and the first that is valid is mixed with padding."""
        ids = keras.Input((None,), dtype="int32")
        x = layers.Embedding(9, 4, mask_zero=True)(ids)
        y = layers.Conv1DTranspose(4, 3, strides=2, padding="same")(x)
        batch = np.array([[1, 7, 5, 2, 6], [0, 0, 0, 5, 3]])
        assert find_leaks(varied(keras.Model(ids, y)), batch).verdict == "leaks"


@not_on_jax
class TestInputsThatLookAlike:
    def test_a_mask_of_which_nothing_else_is_padded_is_not_the_padding(self):
        x, mask = keras.Input((3, 4), name="x"), keras.Input((3,), name="padding_mask")
        y = layers.Dense(2)(layers.Flatten()(layers.Dense(4)(x)))
        valid = np.arange(3) < [[3], [1]]
        batch = [np.where(valid[..., None], FEATURES[:, :3, :1] + np.ones(4), 0), valid]
        assert find_leaks(keras.Model([x, mask], y), batch).verdict == "leaks"

    def test_a_nested_model_that_is_given_its_mask(self):
        ids, mask = keras.Input((None,), dtype="int32"), keras.Input((None,), name="padding_mask")
        steps = keras.Input((None, 4))
        inner = keras.Model(steps, layers.LayerNormalization()(steps))
        y = inner(layers.Embedding(9, 4)(ids), mask=mask)
        model = keras.Model([ids, mask], MaskedMean()(y, mask=mask))
        batch = [np.array([[1, 2, 3], [4, 0, 0]]), np.arange(3) < [[3], [1]]]
        assert find_leaks(model, batch).verdict == "clear"


class WholeMean(layers.Layer):
    def call(self, x):
        return ops.mean(x)


class TestOutputs:
    """Each output of a model is compared, or the verdict is not that it is clear."""

    def flags(self, ids, x):
        share = ops.mean(ops.cast(ids > 2, "float32"), axis=1)
        return [MaskedMean()(x), share > 0.5]

    def test_of_booleans(self):
        batch = np.array([[3, 1, 4, 2], [1, 5, 0, 0], [2, 6, 7, 0]])
        assert find_leaks(words(self.flags), batch).verdict == "leaks"

    @pytest.mark.parametrize(
        "other",
        [
            lambda x: ops.reshape(x, (-1, 4)),
            lambda x: ops.repeat(ops.mean(x, axis=1), 2, axis=0),
            lambda x: ops.mean(x**2),
            lambda x: WholeMean()(x),
        ],
    )
    def test_of_another_first_axis(self, other):
        report = find_leaks(words(lambda ids, x: [MaskedMean()(x), other(x)]), FULL)
        assert report.verdict != "clear"  # where there are gradients, they may tell a leak
        assert {note.key: note.details for note in report.notes}["outputs-unseen"] == {
            "outputs": "1"
        }


def series_of(values, lengths, padding):
    """A batch (samples, steps, 1) of these values, with padding behind."""
    x = np.array(values, "float32").reshape(len(lengths), -1, 1)
    return np.where(np.arange(x.shape[1]) < np.array(lengths)[:, None], x[..., 0], padding)[
        ..., None
    ].astype("float32")


@not_on_jax
class TestNumbersOfVeryDifferentSize:
    """What is small beside one number is not small beside another."""

    WAVE = 1.5 + np.sin(np.arange(18))

    @pytest.mark.parametrize("leaks", [True, False])
    def test_a_class_that_is_forbidden(self, leaks):
        def call(_, x):
            pooled = ops.mean(x, axis=1) if leaks else MaskedMean()(x)
            return ops.softmax(layers.Dense(3)(pooled) + np.float32([-1e9, 0, 0]))

        assert find_leaks(words(call), FULL).verdict == ("leaks" if leaks else "clear")

    @pytest.mark.parametrize("leaks", [True, False])
    def test_a_causal_bias(self, leaks):
        class CausalBias(layers.Layer):
            def call(self, scores):
                steps = ops.shape(scores)[1]
                return scores + (1 - ops.tril(ops.ones((steps, steps)))) * -1e9

        def call(ids, x):
            scores = CausalBias()(ops.matmul(x, ops.transpose(x, (0, 2, 1))))
            y = ops.matmul(ops.softmax(scores), x)
            return ops.mean(y, axis=1) if leaks else y

        report = find_leaks(words(call), FULL, padding=0)
        assert report.verdict == ("leaks" if leaks else "clear")

    @pytest.mark.parametrize("leaks", [True, False])
    @pytest.mark.parametrize(
        "scaled, values",
        [
            (lambda: layers.Rescaling(1e-6), 1e6 * WAVE),
            (lambda: layers.Normalization(mean=101325.0, variance=300.0**2), 101325 + 300 * WAVE),
        ],
    )
    def test_inputs_that_the_model_scales(self, scaled, values, leaks):
        def call(x):
            y = scaled()(layers.Masking(-1)(x))
            return ops.mean(y, axis=1) if leaks else layers.GRU(3)(y)

        x = keras.Input((None, 1))
        report = find_leaks(keras.Model(x, call(x)), series_of(values, [4, 3, 6], -1))
        assert report.verdict == ("leaks" if leaks else "clear")

    @pytest.mark.parametrize("keep", [True, False])
    def test_a_column_that_a_slice_leaves_out(self, keep):
        def call(x):
            value = x[..., 1:]
            return layers.GRU(3)(KeepMask()([value, x]) if keep else value)

        x = np.concatenate([FEATURES[..., :1], FEATURES], axis=-1)
        x[..., 0] = np.where(MASK, 1.7e9 + 3600 * np.arange(4), 0)
        given = keras.Input((None, 4))
        model = varied(keras.Model(given, call(layers.Masking()(given))))
        assert find_leaks(model, x).verdict == ("clear" if keep else "leaks")

    @pytest.mark.parametrize("leaks", [True, False])
    def test_results_side_by_side(self, leaks):
        def call(_, x):
            mean = MaskedMean()(x)
            share = layers.Dense(1, activation="sigmoid")(ops.mean(x, axis=1) if leaks else mean)
            return layers.Concatenate()([layers.Dense(1)(mean) * 5e4 + 1e6, share])

        assert find_leaks(words(call), FULL).verdict == ("leaks" if leaks else "clear")

    @pytest.mark.parametrize("leaks", [True, False])
    def test_samples_side_by_side(self, leaks):
        def call(x):
            steps = ops.ones_like(x) if leaks else ops.cast(ops.not_equal(x, 0), "float32")
            return x[:, 0] + ops.sum(steps, axis=1)

        x = keras.Input((None, 1))
        batch = series_of([3e6, 2e6, 1, 9, 12, 1, 5, 6, 7], [2, 2, 3], 0)
        report = find_leaks(keras.Model(x, call(layers.Masking()(x))), batch)
        assert report.verdict == ("leaks" if leaks else "clear")

    def test_a_result_near_the_threshold_of_a_decision(self):
        """A share of exactly one half is no rounding."""
        share = words(lambda ids, _: ops.mean(ops.cast(ids > 2, "float32"), axis=1) > 0.5)
        batch = np.array([[3, 1, 4, 2], [2, 5, 4, 0]])
        assert find_leaks(share, batch, padding=0).verdict == "leaks"

    def test_a_maximum_that_is_looked_for_again(self):
        """Its last digits are those of what it was taken from."""

        def call(_, x):
            top = ops.equal(x, ops.max(x, axis=1, keepdims=True))
            return ops.sum(ops.cast(top, "float32") * ops.sum(x, axis=1, keepdims=True), axis=1)

        assert find_leaks(words(call), FULL).verdict == "leaks"

    def test_indices_of_a_large_vocabulary(self):
        def call(ids, x):
            return ops.max(ids, axis=1) + ops.sum(ops.ones_like(ids), axis=1)

        batch = np.array([[40_000, 3, 4], [5, 6, 0]])
        ids = keras.Input((None,), dtype="int32")
        x = layers.Embedding(50_000, 2, mask_zero=True)(ids)
        assert find_leaks(keras.Model(ids, call(ids, x)), batch, padding=0).verdict == "leaks"


@not_on_jax
class TestCodeDirectlyInAModel:
    def test_without_any_layer(self):
        class Own(keras.Model):
            def build(self, shape):
                self.table = self.add_weight(shape=(9, 4), initializer="random_normal")

            def call(self, ids):
                return ops.mean(ops.take(self.table, ids, axis=0), axis=1)

        model = Own()
        model(FULL)
        report = find_leaks(model, FULL, padding=0)
        assert report.verdict == "leaks"
        assert (report.leaks[0].call, report.leaks[0].place) == (None, "end")

    def test_steps_and_samples_in_one_axis(self):
        class Hierarchy(keras.Model):
            def __init__(self):
                super().__init__()
                self.words, self.inner, self.outer = embedding(), layers.GRU(4), layers.GRU(4)

            def call(self, ids):
                samples, pages, steps = ops.shape(ids)
                x = self.inner(self.words(ops.reshape(ids, (samples * pages, steps))))
                x = ops.reshape(x, (samples, pages, 4))
                return self.outer(x, mask=ops.any(ops.not_equal(ids, 0), axis=-1))

        ids = np.random.default_rng(0).integers(1, 6, (4, 3, 5))
        ids[0, 2] = ids[1, 1:] = ids[2, 0, 3:] = 0
        model = Hierarchy()
        model(ids)
        report = find_leaks(model, ids, padding=0)
        assert [probe.name for probe in report.probes if probe.note == "raised"] == []


@not_on_jax
class TestSimilarities:
    """Of each two steps of two inputs, both padded."""

    OTHER = np.array([[1, 2, 3, 4, 5, 6], [5, 4, 3, 2, 1, 0]])

    @pytest.mark.parametrize("steps", [(None, None), (4, 6)], ids=str)
    @pytest.mark.parametrize(
        ("pool", "verdict"),
        [
            (lambda x, valid: x, "clear"),
            (lambda x, valid: ops.sum(ops.exp(-(x**2)) * valid, axis=(1, 2)), "clear"),
            (lambda x, valid: ops.mean(x, axis=(1, 2)), "leaks"),
            (lambda x, valid: ops.softmax(x, axis=2), "leaks"),
        ],
    )
    @pytest.mark.parametrize("dot", [True, False])
    def test_entries_of_two_valid_steps_are_valid(self, steps, pool, verdict, dot):
        a, b = (keras.Input((n,), dtype="int32") for n in steps)
        x, y = embedding("a")(a), layers.Embedding(9, 4, mask_zero=True)(b)
        of_each = layers.Dot(axes=(2, 2))([x, y]) if dot else ops.einsum("btd,bsd->bts", x, y)
        valid = mask_of(a) * ops.swapaxes(mask_of(b), 1, 2)
        model = varied(keras.Model([a, b], pool(of_each, valid)))
        assert find_leaks(model, [FULL, self.OTHER]).verdict == verdict


def test_lists_within_steps_that_end_in_padding_are_told():
    nodes, lists = (keras.Input(shape, dtype="int32") for shape in ((None,), (None, None)))
    mean = ops.mean(layers.Embedding(9, 4)(lists), axis=2)  # counts padding
    x = layers.Concatenate()([layers.Embedding(9, 4)(nodes), mean])
    pooled = MaskedMean()(x, mask=ops.not_equal(nodes, 0))
    of_each = np.array([[[1, 2], [3, 0], [2, 4], [1, 1]], [[2, 0], [5, 0], [0, 0], [0, 0]]])
    model = varied(keras.Model([nodes, lists], pooled))
    report = find_leaks(model, [FULL, of_each], padding=[0, ~FULL.astype(bool)])
    assert report.verdict == "clear"  # what is said is taken as it is said
    right = MaskedMean()(layers.Concatenate()([embedding("nodes")(nodes), mean]))
    report = find_leaks(varied(keras.Model([nodes, lists], right)), [FULL, of_each])
    assert "taken-as-complete" in [note.key for note in report.notes]


class TestTurnedIndices:
    """Beside a copy of the indices that code has turned round, in a model of one length."""

    TURNED = np.array([[3, 1, 4, 1, 5], [2, 7, 0, 0, 0], [8, 2, 8, 0, 0]])

    def verdict(self, turned, straight):
        ids = keras.Input((5,), dtype="int32")
        masked = layers.LSTM(2)(layers.Embedding(9, 3, mask_zero=True)(ids))
        turned_round = layers.Embedding(9, 3)(ops.flip(ids, axis=1))
        parts = [turned(turned_round), masked, straight(ids)]
        x = layers.Dense(2)(layers.Concatenate()([part for part in parts if part is not None]))
        return find_leaks(varied(keras.Model(ids, x)), self.TURNED).verdict

    def test_a_leak_of_the_others_is_found(self):
        verdict = self.verdict(
            turned=layers.GlobalMaxPooling1D(),
            straight=lambda ids: layers.Flatten()(layers.Embedding(9, 3)(ids)),
        )
        assert verdict == "leaks"

    def test_one_of_their_own_is_not_called_clear(self):
        """Nothing can be put in their padding."""
        assert self.verdict(layers.Flatten(), lambda ids: None) == "not measured"


class TestManyLengths:
    def test_one_series_unlike_the_others(self):
        lengths = np.arange(2, 29)
        x = 0.1 + abs(np.random.default_rng(0).normal(size=(27, 28, 2)))
        x[np.arange(28) >= lengths[:, None]] = 0
        x[11] *= -1  # so that the zeros of padding are its maximum
        given = keras.Input((None, 2))
        model = keras.Model(given, layers.GlobalMaxPooling1D()(layers.Masking()(given)))
        report = find_leaks(model, x.astype("float32"))
        assert report.verdict == "leaks"
        assert report.leaks[0].sample == 11
        few = {"jax": "4"}.get(keras.backend.backend(), "16")
        told = {note.key: note.details for note in report.notes}
        assert told["some"] == {"count": few, "total": "26"}

    @not_on_jax
    def test_a_right_model_takes_the_work_of_twenty_forward_passes(self):
        """Its time is that of the bench, which depends on the machine."""

        class Counted(layers.Layer):
            supports_masking = True
            steps = 0

            def call(self, x):
                if None not in x.shape:
                    Counted.steps += x.shape[0] * x.shape[1]
                return x

        given = keras.Input((None, 2))
        x = Counted()(layers.Masking()(given))
        x = layers.Bidirectional(layers.LSTM(3))(x)
        model = varied(keras.Model(given, layers.Dense(2)(x)))
        x = np.random.default_rng(0).normal(size=(16, 17, 2)).astype("float32")
        x[np.arange(17) >= np.arange(1, 17)[:, None]] = 0
        Counted.steps = 0
        assert find_leaks(model, x).ok
        passes = Counted.steps / (16 * 17)
        # back through the gradients of two runs takes as much as two forward passes each
        assert passes + 4 <= 20, passes


class TestRandomOnes:
    def test_noise_from_outside_keras_is_no_rounding(self):
        random = np.random.default_rng(0)

        class Noise(layers.Layer):
            def call(self, x):
                noise = random.normal(size=(x.shape[0], 3)).astype("float32")
                return x + ops.convert_to_tensor(noise)

            def compute_output_spec(self, x):
                return keras.KerasTensor(x.shape, x.dtype)

        model = series(lambda x: Noise()(layers.GlobalAveragePooling1D()(x)))
        for _ in range(5):
            assert find_leaks(model, FEATURES, padding=0).verdict == "not measured"


@not_on_jax
class TestRoundingOfOneEntry:
    def test_a_step_at_a_threshold_hides_no_other_step(self):
        class Tenths(layers.Layer):
            def call(self, x):
                return ops.round(x * 10) / 10

        x = keras.Input((None, 1))
        dense, ahead = layers.Dense(1), layers.Conv1D(1, 2, padding="same", use_bias=False)
        model = keras.Model(x, Tenths()(ahead(dense(layers.Masking()(x)))))
        dense.set_weights([np.ones((1, 1)), np.array([0.3])])
        ahead.set_weights([np.array([[[1.0]], [[0.8]]])])
        batch = np.array([[[0.07], [0.3], [0.32], [0], [0]]], "float32")  # step 0 makes 0.85
        assert find_leaks(model, batch).verdict == "leaks"

    def test_what_code_of_ones_own_rounds_inside(self):
        class Distance(layers.Layer):
            def call(self, given):
                first, second = (ops.normalize(x, axis=-1) for x in given)
                return 1 - ops.sum(first * second, axis=-1)

        first, second = (keras.Input((None,), dtype="int32") for _ in range(2))
        for seed in range(4):
            keras.utils.set_random_seed(seed)
            encode = keras.Sequential([layers.Embedding(9, 8, mask_zero=True), layers.GRU(8)])
            model = keras.Model([first, second], Distance()([encode(first), encode(second)]))
            batch = np.array([[3, 1, 4, 0, 0], [1, 5, 2, 6, 0], [2, 7, 6, 0, 0]])
            report = find_leaks(varied(model), [batch, batch * [[1], [1], [0]] + [[0], [0], [8]]])
            assert report.verdict != "leaks"

    def test_features_in_front_of_steps(self):
        def call(x):
            small = layers.Conv1D(1, 3, padding="same")(layers.Dense(2)(x))
            large = layers.Rescaling(1e6)(layers.Dense(1)(x))
            return layers.Permute((2, 1))(layers.Concatenate()([large, small]))

        x = keras.Input((None, 3))
        model = varied(keras.Model(x, call(layers.Masking()(x))))
        assert find_leaks(model, FEATURES).verdict == "leaks"


class Extended(layers.Layer):
    """Puts steps of its own around a layer, and hands on the mask of what becomes of them."""

    def __init__(self, how):
        super().__init__()
        self.how, self.inner, self.supports_masking = how, layers.Dense(3), True

    def build(self, shape):
        self.inner.build(shape)

    def call(self, x, mask=None):
        if self.how == "a step in front":
            return self.inner(ops.concatenate([ops.ones_like(x[:, :1]), x], axis=1))
        if self.how == "moved by a step":
            return self.inner(ops.pad(x[:, :-1], [[0, 0], [1, 0], [0, 0]]))
        return self.inner(x[:, None])

    def compute_mask(self, x, mask=None):
        if mask is None or self.how == "another axis":
            return None
        if self.how == "moved by a step":
            return mask
        return ops.concatenate([ops.ones_like(mask[:, :1]), mask], axis=1)

    def compute_output_spec(self, x, mask=None):
        shapes = {"another axis": (None, 1, None, 3)}
        return keras.KerasTensor(shapes.get(self.how, (None, None, 3)), x.dtype)


@not_on_jax
class TestStepsOfOnesOwn:
    @pytest.mark.parametrize("how", ["a step in front", "moved by a step", "another axis"])
    def test_of_a_layer_inside(self, how):
        assert find_leaks(words(lambda _, x: Extended(how)(x)), FULL).verdict == "clear"

    def test_two_sequences_in_a_row(self):
        model = words(
            lambda _, x: layers.Concatenate(axis=1)([layers.Dense(2)(x), layers.Dense(2)(x)])
        )
        assert find_leaks(model, FULL).verdict == "clear"

    @pytest.mark.parametrize(
        "call, verdict",
        [
            (lambda x: x, "clear"),
            (lambda x: ops.matmul(x, ops.transpose(x, (0, 2, 1))), "clear"),
            (lambda x: layers.Conv1D(2, 3)(x), "clear"),
            (lambda x: layers.Dense(2)(layers.MaxPooling1D(2)(x)), "clear"),
            (lambda x: layers.Dense(1)(x), "clear"),
            (lambda x: layers.Conv1D(2, 3, padding="same")(x), "leaks"),
        ],
    )
    def test_laid_out_in_a_row(self, call, verdict):
        batch = np.array([[3, 1, 4, 2, 0], [1, 5, 3, 0, 0]])
        model = words(lambda _, x: layers.Reshape((-1,))(call(x)))
        assert find_leaks(model, batch).verdict == verdict


@not_on_jax
class TestSamplesInTwoAxes:
    def test_as_many_features_as_samples_in_a_model_of_one_batch_size(self):
        class Ahead(layers.Layer):
            def call(self, x):
                after = ops.concatenate([x[:, 1:], x[:, :1] * 0], axis=1)
                return ops.max(x + after * ops.one_hot(0, x.shape[-1]), axis=1)

        lengths = np.array([5, 4, 3, 2])
        x = np.random.default_rng(0).normal(size=(4, 6, 3)).astype("float32")
        x[np.arange(6) >= lengths[:, None]] = 0
        given = keras.Input(batch_shape=(4, None, 3))
        state = layers.GRU(4, return_sequences=True, stateful=True)(layers.Masking()(given))
        model = keras.Model(given, Ahead()(layers.Dense(4)(state)))
        random = np.random.default_rng(0)
        for weights in model.weights:
            weights.assign(random.normal(size=weights.shape) / 2)
        assert find_leaks(model, x).verdict == "leaks"

    def test_scores_of_each_two_samples(self):
        def model(pool):
            first, second = (keras.Input((None,), dtype="int32", name=name) for name in "ab")
            shared = embedding()
            scores = ops.matmul(pool(shared(first)), ops.transpose(pool(shared(second))))
            return varied(keras.Model([first, second], scores))

        batch = [np.array([[3, 1, 4, 2], [1, 5, 0, 0], [2, 4, 3, 0]])] * 2
        assert find_leaks(model(layers.GlobalAveragePooling1D()), batch).verdict == "clear"
        leaking = model(lambda x: ops.mean(x, axis=1))
        assert find_leaks(leaking, batch).verdict == "leaks"

    @pytest.mark.parametrize("leaks", [True, False])
    def test_as_many_steps_as_samples_turned_into_each_others_place(self, leaks):
        def call(ids, x):
            turned = ops.transpose(x * 2, (1, 0, 2))
            back = ops.transpose(turned, (1, 0, 2))
            return MaskedMean()(back, mask=None if leaks else ops.not_equal(ids, 0))

        batch = np.array([[3, 1, 4], [1, 5, 0], [2, 0, 0]])
        assert find_leaks(words(call), batch).verdict == ("leaks" if leaks else "clear")


@not_on_jax
def turned_round(x):
    """As a slice, where there is one with negative steps."""
    return ops.flip(x, axis=1) if keras.backend.backend() == "torch" else x[:, ::-1]


class TestStepsThatMove:
    @pytest.mark.parametrize("strides", [1, 2])
    @pytest.mark.parametrize("left", [False, True])
    def test_steps_that_a_transposed_convolution_adds(self, strides, left):
        batch = FULL[:, ::-1] if left else FULL
        for layer, verdict in ((layers.Conv1DTranspose, "leaks"), (MaskedConv1DTranspose, "clear")):
            model = words(lambda _, x, layer=layer: layer(3, 3, strides=strides)(x))
            assert find_leaks(model, batch).verdict == verdict

    def test_an_input_turned_round(self):
        ids = keras.Input((None,), dtype="int32")
        model = keras.Model(ids, layers.GRU(3)(embedding()(turned_round(ids))))
        assert find_leaks(model, FULL).verdict == "clear"

    def test_features_turned_round_in_front_of_masking(self):
        x = keras.Input((None, 3))
        for turned, verdict in ((turned_round(x), "clear"), (turned_round(x) * 1, "clear")):
            model = varied(keras.Model(x, layers.GRU(3)(layers.Masking()(turned))))
            assert find_leaks(model, FEATURES).verdict == verdict

    def test_a_step_appended_to_each_sample(self):
        def call(ids, x):
            end = ops.zeros_like(x[:, :1]) + 1
            return layers.Dense(3)(ops.concatenate([x, end], axis=1))

        assert find_leaks(words(call), FULL).verdict == "clear"

    def test_padding_in_front_of_one_input_and_behind_the_other(self):
        class Positions(layers.Layer):
            def __init__(self):
                super().__init__()
                self.supports_masking = True
                self.table = layers.Embedding(200, 4)

            def call(self, x):
                return x + self.table(ops.arange(ops.shape(x)[1]))

        first, second = (keras.Input((None,), dtype="int32", name=name) for name in "ab")
        _, state = layers.GRU(4, return_state=True)(embedding("x")(first))
        x = Positions()(embedding("y")(second))
        y = layers.GRU(4, return_sequences=True)(x, initial_state=state)
        report = find_leaks(keras.Model([first, second], y), [FULL[:, ::-1], FULL])
        assert report.verdict == "clear"
        assert {probe.name: probe.note for probe in report.probes}["length"] == "both-sides"


@not_on_jax
class TestValuesReadWithoutAComparison:
    @pytest.mark.parametrize(
        "call",
        [
            lambda x: ops.sum(layers.Dense(4)(x) * used(x), axis=1) / ops.sum(used(x), axis=1),
            lambda x: ops.sum(ops.nan_to_num(x), axis=1),
            lambda x: (
                ops.sum(x, axis=1) / ops.cast(ops.sum(ops.not_equal(x, 0), axis=1), "float32")
            ),
        ],
    )
    def test_of_features(self, call):
        assert find_leaks(series(call), FEATURES, padding=0).verdict == "clear"

    @pytest.mark.parametrize(
        "call, padding",
        [
            (lambda x: ops.nanmean(x, axis=1), np.nan),
            (lambda x: ops.max(x, axis=1), -np.inf),
            (lambda x: ops.softmax(x, axis=1), -np.inf),
        ],
    )
    def test_of_what_is_no_number(self, call, padding):
        batch = np.where(MASK[..., None], FEATURES, padding).astype("float32")
        assert find_leaks(series(call), batch, padding=padding).verdict == "clear"

    def test_of_indices(self):
        ids = keras.Input((None,), dtype="int32")
        model = keras.Model(ids, ops.sum(ops.one_hot(ids, 9), axis=1)[:, 1:])
        assert find_leaks(model, FULL, padding=0).verdict == "clear"


def used(x):
    """1 where a step holds anything, else 0."""
    return ops.sign(ops.max(ops.abs(x), axis=-1, keepdims=True))


@not_on_jax
class TestCompleteBesidePadded:
    """Two inputs, of which one has no padding in this batch, or none beside valid steps."""

    C, D, EMPTY = [1, 2, 3, 4], [5, 1, 2, 3], [0, 0, 0, 0]
    FULL, PADDED = np.array([C, D]), np.array([[1, 2, 0, 0], D])

    def model(self, of_a, steps=4, **options):
        a, b = (keras.Input((steps,), dtype="int32", name=name) for name in "ab")
        table = {"mask_zero": True} | options
        x = of_a(layers.Embedding(9, 3, **table)(a))
        y = MaskedMean()(layers.Embedding(9, 3, mask_zero=True)(b))
        return varied(keras.Model([a, b], layers.Concatenate()([x, y])))

    def leaky(self, **options):
        return self.model(lambda x: layers.Flatten()(x * 2), **options)

    @pytest.mark.parametrize("b", [PADDED, PADDED[:, ::-1], PADDED[::-1]], ids=str)
    def test_it_gets_padding(self, b):
        for model, verdict in ((self.leaky(), "leaks"), (self.model(MaskedMean()), "clear")):
            report = find_leaks(model, [self.FULL, b])
            assert report.verdict == verdict
            notes = {note.key: note.details for note in report.notes}
            assert notes["inputs-padded"] == {"inputs": "'a'"}
            assert all(probe.note != "both-sides" for probe in report.probes)

    @pytest.mark.parametrize(
        ("a", "b"),
        [
            ([C, EMPTY], [C, D]),
            ([C, D, EMPTY], [EMPTY, D, C]),
            ([C, EMPTY, D], [C, D, [1, 2, 0, 0]]),
            ([D, C, C, D], [C, EMPTY, EMPTY, [3, 0, 0, 0]]),
        ],
    )
    def test_empty_samples_of_either(self, a, b):
        batch = [np.array(a), np.array(b)]
        assert find_leaks(self.leaky(), batch).verdict == "leaks"
        assert find_leaks(self.model(MaskedMean()), batch).verdict == "clear"

    def test_no_sample_is_valid_in_both(self):
        batch = [np.array([self.C, self.EMPTY]), np.array([self.EMPTY, self.D])]
        report = find_leaks(self.leaky(), batch)
        assert report.verdict == "not measured"
        assert [note.key for note in report.notes] == ["no-valid-sample"]

    def test_an_input_that_never_has_padding(self):
        report = find_leaks(self.leaky(), [self.FULL, self.PADDED], padding={"a": None})
        assert (report.verdict, report.notes) == ("clear", ())

    @pytest.mark.parametrize("pool", [layers.Flatten(), layers.GlobalMaxPooling1D()])
    def test_beside_the_one_step_that_is_declared_there_is_no_padding(self, pool):
        a, b = keras.Input((1,), dtype="int32", name="a"), keras.Input((4,), dtype="int32")
        table = layers.Embedding(9, 3, mask_zero=True)
        parts = [pool(table(a)), MaskedMean()(table(b))]
        model = varied(keras.Model([a, b], layers.Concatenate()(parts)))
        report = find_leaks(model, [self.FULL[:, :1], self.PADDED])
        assert (report.verdict, report.notes) == ("clear", ())

    def test_one_step_of_an_axis_that_is_left_open_is_not_measured(self):
        model = self.model(lambda x: ops.mean(x, axis=1), steps=None, mask_zero=False)
        batch = [self.FULL[:, :1], self.PADDED]
        assert find_leaks(model, batch, padding={"a": [1, 1]}).verdict == "not measured"

    @pytest.mark.parametrize("merge", [layers.Add(), layers.Concatenate()])
    @pytest.mark.parametrize("rows", [[0, 1], [1, 0], [0]], ids=str)
    def test_the_batch_is_measured_as_it_is_too(self, merge, rows):
        """Where both were padded alike, a merge of their steps would show no leak."""
        a, b = (keras.Input((None,), dtype="int32") for _ in "ab")
        x, y = (layers.Embedding(9, 3, mask_zero=True)(ids) for ids in (a, b))
        model = varied(keras.Model([a, b], layers.GlobalAveragePooling1D()(merge([x, y]))))
        assert find_leaks(model, [self.FULL[rows], self.PADDED[rows]]).verdict == "leaks"

    def test_no_input_vouches_for_what_padding_holds_in_another(self):
        a, x = keras.Input((4,), dtype="int32"), keras.Input((4, 3), name="x")
        parts = [MaskedMean()(layers.Embedding(9, 3, mask_zero=True)(a)), ops.sum(x, axis=1)]
        model = varied(keras.Model([a, x], layers.Concatenate()(parts)))
        for first in (self.FULL, self.PADDED):
            report = find_leaks(model, [first, 1 + abs(FEATURES)], padding={"x": [4, 4]})
            assert report.verdict == "not measured"

    def test_a_number_says_what_padding_holds(self):
        model = self.model(layers.Flatten(), mask_zero=False)
        batch = [self.FULL, self.PADDED]
        assert find_leaks(model, batch, padding={"a": 0, "b": 0}).verdict == "leaks"
        of_all = find_leaks(model, batch, padding=0)  # it says nothing of an input without a 0
        assert of_all.verdict == "clear"
        assert [note.key for note in of_all.notes] == ["taken-as-complete"]

    def test_what_is_said_goes_before_what_a_layer_knows(self):
        report = find_leaks(functional(MaskedMean()), self.FULL, padding={"ids": 0})
        assert report.verdict == "clear"
        report = find_leaks(functional(MaskedMean()), self.FULL, padding={"ids": 4})
        assert report.verdict == "leaks"  # the layer takes 4 for data

    @pytest.mark.parametrize("number", [-1, 100, 0.5, np.nan])
    def test_a_number_that_the_input_cannot_hold(self, number):
        padding = {"a": number, "b": 0}
        report = find_leaks(self.model(MaskedMean()), [self.FULL, self.PADDED], padding=padding)
        assert report.verdict == "not measured"

    def test_what_is_added_holds_the_number(self):
        def mean(x):
            valid = ops.cast(ops.not_equal(x, -1), "float32")
            return ops.sum(x * valid, axis=1) / ops.sum(valid, axis=1)

        a, b = (keras.Input((None, 1), name=name) for name in "ab")
        model = keras.Model([a, b], layers.Concatenate()([mean(a), mean(b)]))
        of_b = np.where(self.PADDED, self.PADDED, -1.0)
        batch = [x[..., None].astype("float32") for x in (self.FULL, of_b)]
        for padding in ({"a": -1, "b": -1}, -1):
            report = find_leaks(model, batch, padding=padding)
            assert report.verdict == "clear"
            assert "length" in ran(report)

    def test_lengths_do_not_say_what_padding_holds(self):
        first = layers.Lambda(lambda x: x[:, 0])
        for model in (self.model(first, steps, mask_zero=False) for steps in (4, None)):
            report = find_leaks(model, [self.FULL, self.PADDED], padding={"a": np.array([4, 4])})
            assert report.verdict == "not measured"
            notes = {note.key: note.details for note in report.notes}
            assert notes["inputs-complete"] == {"inputs": "'a'"}

    def test_a_layer_with_a_mask_of_its_own_shows_that_it_takes_what_is_added(self):
        positive = layers.Lambda(
            lambda x: x * 1.0, mask=lambda x, mask: ops.any(ops.not_equal(x, 0), axis=-1)
        )
        a, b = keras.Input((None, 3), name="a"), keras.Input((None,), dtype="int32", name="b")
        y = MaskedMean()(layers.Embedding(9, 3, mask_zero=True)(b))
        for pool, verdict in (
            (layers.GlobalAveragePooling1D(), "clear"),
            (layers.GlobalMaxPooling1D(), "leaks"),
        ):
            model = varied(keras.Model([a, b], layers.Concatenate()([pool(positive(a)), y])))
            batch = [-1 - abs(FEATURES), self.PADDED]
            assert find_leaks(model, batch).verdict == verdict


@not_on_jax
class TestNotMeasured:
    def test_full_rows_of_a_fixed_length(self):
        ids = keras.Input((4,), dtype="int32", name="ids")
        x = embedding()(ids)
        model = keras.Model(ids, layers.GlobalAveragePooling1D()(x * 2))
        for batch in (np.array([[1, 2, 3, 4], [5, 1, 2, 3]]), np.array([[1, 2, 3, 4]])):
            report = find_leaks(model, batch)  # padding is put there
            assert report.verdict == "leaks"
            assert [note.key for note in report.notes] == ["steps-padded"]

    @pytest.mark.parametrize("steps", [4, None])
    def test_complete_samples_beside_empty_ones(self, steps):
        batch = np.array([[1, 2, 3, 4], [0, 0, 0, 0], [5, 1, 2, 3]])
        for pool, verdict in (
            (layers.GlobalAveragePooling1D(), "clear"),
            (layers.GlobalMaxPooling1D(), "leaks"),
        ):
            for rows in (batch, batch[:2], batch[1:]):
                report = find_leaks(functional(pool, steps=steps), rows)
                assert report.verdict == verdict
                assert [note.key for note in report.notes] == ["steps-padded"]

    def test_an_input_and_its_mask_are_padded_together(self):
        x, mask = keras.Input((None, 3), name="x"), keras.Input((None,), name="padding_mask")
        model = varied(
            keras.Model([x, mask], layers.Bidirectional(layers.SimpleRNN(4))(x, mask=mask))
        )
        batch = [1 + abs(FEATURES[:, :3]), np.ones((2, 3), bool)]
        assert find_leaks(model, batch).verdict == "clear"

    def test_as_many_features_as_steps_where_nothing_is_padded(self):
        ids, pairs = keras.Input((None,), dtype="int32"), keras.Input((None, None), name="pairs")
        mean = MaskedMean()(ops.matmul(pairs, embedding()(ids)), mask=ops.not_equal(ids, 0))
        batch = [FULL[:1], np.ones((1, 4, 4))]
        report = find_leaks(varied(keras.Model([ids, pairs], mean)), batch)
        assert report.verdict == "not measured"
        assert {note.key for note in report.notes} == {"no-padding"}

    def test_no_sample_alone_where_inputs_may_be_read_wrongly(self):
        def call(self, inputs):
            ids, weights = inputs
            return ops.einsum("bij,bjd->bid", weights, self.embed(ids)) / weights.shape[1]

        model = Subclassed(call, {"embed": embedding()})
        batch = [IDS, np.ones((2, 4, 4), "float32") + np.arange(4, dtype="float32")]
        model([ops.convert_to_tensor(x) for x in batch])
        report = find_leaks(model, batch, padding={"0": 0, "1": None})
        assert report.verdict != "clear"

    def test_a_result_whose_steps_cannot_be_told_apart(self):
        model = words(lambda _, x: layers.Conv1DTranspose(3, 3, strides=2)(x))
        report = find_leaks(model, np.array([[3, 0, 4, 2, 0], [0, 5, 0, 6, 7]]))
        assert report.probes[0].note == "not-compared"
        assert report.verdict == "not measured"

    def test_a_sample_that_differs_inside_and_whose_result_cannot_be_compared(self):
        def call(_, x):
            blocks = layers.AveragePooling1D(2, padding="same")(x)  # counts padding in the last one
            return layers.Conv1DTranspose(3, 2, strides=2, padding="same")(blocks)

        report = find_leaks(words(call), np.array([[3, 4, 0], [1, 2, 5], [6, 0, 0]]))
        assert report.verdict == "not measured"
        notes = {note.key: note.details for note in report.notes}
        assert notes["unfollowed"] == {"samples": "2"}

    def test_samples_that_each_keep_a_padded_step(self):
        def call(self, inputs):
            at = inputs["lengths"][:, None, None]  # one step too far
            return ops.take_along_axis(self.lstm(inputs["series"]), at, axis=1)

        model = Subclassed(call, {"lstm": layers.LSTM(3, return_sequences=True)})
        batch = {"lengths": MASK.sum(1), "series": FEATURES}
        model(batch)
        report = find_leaks(model, batch, padding={"series": 0, "lengths": None})
        assert report.verdict == ("leaks" if report.leaks else "not measured")

    def test_an_assertion_tells_leaks_from_what_was_not_measured(self):
        said = []
        ends = layers.Lambda(lambda x: x, mask=lambda x, mask: ops.max(x, axis=-1) < 9)
        x = keras.Input((None, 1))
        unknown = keras.Model(x, layers.GlobalAveragePooling1D()(ends(x)))
        for model, batch in (
            (functional(layers.GlobalMaxPooling1D()), IDS),
            (unknown, np.ones((2, 3, 1), "float32")),
        ):
            with pytest.raises(AssertionError) as caught:
                assert_no_leaks(model, batch)
            said.append(str(caught.value).splitlines()[0])
        assert said[0].startswith("Padding leaks in ")
        assert said[1].startswith("Not measured")


def test_a_probe_that_could_compare_nothing_does_not_say_that_nothing_changes():
    report = find_leaks(words(lambda _, x: ops.mean(x**2)), FULL)
    assert not any(probe.ran for probe in report.probes if probe.name != "gradients")


@not_on_jax
class TestMasksWithoutSteps:
    rows = np.array([[3.0, 1, 2, 2, 0, 0], [0, 0, 0, 0, 0, 0]], "float32")

    def model(self):
        x = keras.Input((6,), name="row")
        return keras.Model(x, layers.Activation("softmax")(layers.Masking()(x)))

    def test_masking_of_rows(self):
        with pytest.raises(UnusableInput, match="no axis of steps") as caught:
            find_leaks(self.model(), self.rows)
        assert "\n" not in str(caught.value)

    @pytest.mark.parametrize("options", [{"mask": rows != 0}, {"padding": 0}])
    def test_entries_of_rows_as_steps(self, options):
        report = find_leaks(self.model(), self.rows, **options)
        powers = np.exp(self.rows[0])
        difference = powers[:4] / powers[:4].sum() - powers[:4] / powers.sum()
        assert report.leaks[0].amount == pytest.approx(difference.max(), rel=1e-4)

    def test_a_trace_shows_it(self):
        assert trace(self.model(), self.rows)[0].mask.shape == (2,)


class TestAutoencoders:
    def model(self, keep):
        x = keras.Input((4, 3), name="series")
        masked = layers.Masking()(x)
        y = layers.RepeatVector(4, name="repeat")(layers.LSTM(4)(masked))
        y = KeepMask()([y, masked]) if keep else y
        y = layers.LSTM(4, return_sequences=True)(y)
        return varied(keras.Model(x, layers.TimeDistributed(layers.Dense(2))(y)))

    def test_an_output_without_a_mask_is_told(self):
        report = find_leaks(self.model(False), FEATURES)
        assert report.verdict == "clear"
        assert "output-unmasked" in [note.key for note in report.notes]

    def test_with_its_mask_kept(self):
        report = find_leaks(self.model(True), FEATURES)
        assert report.verdict == "clear"
        assert "output-unmasked" not in [note.key for note in report.notes]


@pytest.mark.skipif(not hasattr(layers, "ReversibleEmbedding"), reason="Keras 3.13 has none")
def test_a_table_of_words_that_also_scores_them_looks_nothing_up_then():
    """As the models of keras-hub for masked language modelling do."""
    ids = keras.Input((None,), dtype="int32")
    places = keras.Input((2,), dtype="int32")
    mask = keras.Input((None,), dtype="bool")
    table = layers.ReversibleEmbedding(9, 4, tie_weights=True)
    x = table(ids)
    x = MaskedMean(keepdims=True)(x, mask=mask) + x
    x = ops.take_along_axis(x, places[..., None], axis=1)
    model = varied(keras.Model([ids, places, mask], table(layers.Dense(4)(x), reverse=True)))
    report = find_leaks(model, [FULL, np.array([[3, 0], [1, 0]]), FULL != 0], padding=[0, None, 0])
    assert report.ok, report


class Recorded(layers.Layer):
    """Notes how the backend computes when it is run."""

    seen: set

    def call(self, x):
        self.seen.add(computing())
        return x


def computing():
    if keras.backend.backend() == "jax":
        import jax

        values = jax.config.values
        return jax.config.jax_default_matmul_precision, values["jax_disable_most_optimizations"]
    if keras.backend.backend() == "torch":
        from torch.backends import cudnn

        return cudnn.allow_tf32
    from tensorflow.config import experimental as config

    return config.tensor_float_32_execution_enabled()


@pytest.mark.skipif(keras.backend.backend() == "numpy", reason="numpy has nothing to set")
def test_a_gpu_does_not_round_what_it_multiplies_and_jax_compiles_in_haste():
    recorded, before = Recorded(), computing()
    recorded.seen = set()
    model = words(lambda ids, x: MaskedMean()(KeepMask()([recorded(x), x])))
    recorded.seen.clear()
    find_leaks(model, FULL)
    in_haste, for_gradients = ("highest", True), ("highest", False)
    on_jax = keras.backend.backend() == "jax"
    assert recorded.seen == ({in_haste, for_gradients} if on_jax else {False})
    assert computing() == before


@pytest.mark.skipif(keras.backend.backend() == "numpy", reason="the numpy backend has no gradients")
def test_gradients_at_the_one_length_that_a_model_takes():
    """The length of a padded step is 0, and its slope not finite."""
    inputs = keras.Input((3, 2))
    masked = layers.Masking()(inputs)
    x = layers.Dense(2, use_bias=False)(masked)
    x = KeepMask()([x / ops.sqrt(ops.sum(x**2, axis=-1, keepdims=True)), masked])
    model = keras.Model(inputs, layers.Dense(1)(MaskedFlatten()(x)))
    batch = np.random.default_rng(0).normal(size=(2, 3, 2)).astype("float32")
    batch[0, 1:] = 0
    report = find_leaks(model, batch)
    assert {leak.probe for leak in report.leaks} == {"gradients"}


@pytest.mark.skipif(keras.backend.backend() == "numpy", reason="the numpy backend has no gradients")
@pytest.mark.parametrize(
    "steps",
    [
        lambda x: layers.Dense(4)(x),
        lambda x: layers.Dense(4, dtype="mixed_float16")(x),
        lambda x: layers.Dense(4)(x) + 273.15,
        lambda x: layers.LayerNormalization()(
            layers.Embedding(4, 4, trainable=False)(ops.argmax(x, axis=-1))
        ),
    ],
    ids=["float32", "float16", "far from 0", "only vectors are trained"],
)
@pytest.mark.parametrize("seed", range(4))
def test_gradients_that_are_rounding_alone_tell_no_leak(steps, seed):
    """Steps less their mean sum to 0, whatever the weights and the padding."""
    keras.utils.set_random_seed(seed)
    inputs = keras.Input((None, 4))
    x = steps(inputs)
    x = ops.sum(x - ops.mean(x, axis=1, keepdims=True), axis=1)
    model = keras.Model(inputs, layers.Dense(2, activation="softmax")(x))
    batch = np.random.default_rng(seed).normal(size=(3, 13, 4)).astype("float32")
    batch[0, 3:] = batch[1, 5:] = 0
    assert find_leaks(model, batch, padding=0).verdict == "clear"


@pytest.mark.skipif(keras.backend.backend() == "numpy", reason="the numpy backend has no gradients")
def test_rounding_of_one_gradient_hides_no_leak_of_its_neighbour():
    """Weights of 0: the result is right, and one of their two gradients counts padding."""
    keras.utils.set_random_seed(0)
    inputs, mask = keras.Input((None, 2)), keras.Input((None,), dtype="bool")
    large = 1e6 * inputs[..., :1]
    rounding = ops.sum(large - ops.mean(large, axis=1, keepdims=True), axis=1)
    both = ops.concatenate([rounding, ops.mean(inputs[..., 1:], axis=1)], axis=-1)
    right = layers.Dense(1)(MaskedMean()(inputs, mask=mask))
    model = keras.Model([inputs, mask], right + layers.Dense(1, kernel_initializer="zeros")(both))
    batch = np.random.default_rng(0).normal(size=(3, 6, 2)).astype("float32")
    batch[0, 3:] = batch[1, 5:] = 0
    report = find_leaks(model, [batch, batch.any(axis=-1)])
    assert {leak.probe for leak in report.leaks} == {"gradients"}
