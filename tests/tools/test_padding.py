"""`padding=`: every form in which it is said where padding is, and what cannot be meant."""

import keras
import numpy as np
import pytest
from keras import layers, ops
from models import IDS, not_on_jax

from keras_masking import MaskedMean, UnusableInput, find_leaks

LENGTHS = np.array([3, 2])
PADDED = IDS == 0
LEFT = IDS[:, ::-1].copy()
FEATURES = np.random.default_rng(0).normal(size=(2, 4, 3)).astype("float32")
FEATURES[PADDED] = 0


def mean(steps=None):
    """A mean over all steps, padded ones too."""
    x = keras.Input((steps, 3), name="series")
    return keras.Model(x, layers.GlobalAveragePooling1D(name="mean")(x))


def two(second=(None, 3)):
    """A masked mean of the first input, and a plain one of the second."""
    a, b = keras.Input((None, 3), name="past"), keras.Input(second, name="future")
    left = layers.GlobalAveragePooling1D()(layers.Masking()(a))
    right = layers.GlobalAveragePooling1D(name="mean")(b) if len(second) == 2 else b
    return keras.Model([a, b], layers.Concatenate()([left, right]))


def leaking(report):
    return {report.trace[leak.call].path for leak in report.leaks}


@not_on_jax
class TestForms:
    @pytest.mark.parametrize(
        "padding",
        [0, 0.0, np.float32(0), LENGTHS, LENGTHS.tolist(), PADDED, PADDED.tolist()]
        + [{"series": 0}, [0], [LENGTHS], (PADDED,)],
        ids=str,
    )
    def test_each_finds_a_mean_over_padding(self, padding):
        report = find_leaks(mean(), FEATURES, padding=padding)
        assert (report.verdict, leaking(report)) == ("leaks", {"mean"})
        assert report.leaks[0].probe == "alone"

    def test_tensors_are_taken_too(self):
        padding = ops.convert_to_tensor(PADDED)
        assert find_leaks(mean(), FEATURES, padding=padding).verdict == "leaks"

    def test_the_model_is_not_told(self):
        x = keras.Input((None, 3))
        model = keras.Model(x, layers.LSTM(3, name="lstm")(x))
        assert find_leaks(model, FEATURES, mask=~PADDED).ok
        report = find_leaks(model, FEATURES, padding=0)
        assert leaking(report) == {"lstm"}
        assert all(x.mask is None for x in report.trace.inputs)

    def test_another_number_than_zero(self):
        x = np.where(PADDED[..., None], -1, FEATURES)
        assert find_leaks(mean(), x, padding=-1).verdict == "leaks"

    def test_nan_is_a_number_here(self):
        x = np.where(PADDED[..., None], np.nan, FEATURES)
        assert find_leaks(mean(), x, padding=np.nan).verdict == "leaks"

    def test_a_step_that_holds_the_number_in_one_feature_alone_is_valid(self):
        x = FEATURES.copy()
        x[:, 0, 1] = 0
        x = np.concatenate([x, x[:, -1:]], axis=1)  # a last step that is padding in both
        report = find_leaks(mean(), x, padding=0)
        lengths = find_leaks(mean(), x, padding=LENGTHS)
        assert report.probes[0].result == pytest.approx(lengths.probes[0].result)

    def test_ids_of_a_hierarchy_are_padding_one_by_one(self):
        ids = np.array([[[1, 2, 0], [3, 0, 0]], [[4, 5, 1], [0, 0, 0]]])
        x = keras.Input((None, None), dtype="int32")
        embedded = layers.Embedding(6, 4)(x)
        words = ops.cast(ops.not_equal(x, 0), "float32")[..., None]
        right = ops.sum(embedded * words, axis=(1, 2)) / ops.sum(words, axis=(1, 2))
        for padding in (0, ids == 0):
            assert find_leaks(keras.Model(x, right), ids, padding=padding).verdict == "clear"
            model = keras.Model(x, ops.mean(embedded, axis=(1, 2)))
            assert find_leaks(model, ids, padding=padding).verdict == "leaks"

    def test_of_pictures_a_step_is_a_picture(self):
        frames = np.random.default_rng(0).normal(size=(2, 4, 2, 2, 1)).clip(0).astype("float32")
        frames[PADDED] = 0
        x = keras.Input((None, 2, 2, 1))
        model = keras.Model(x, ops.mean(x, axis=1))
        alone = find_leaks(model, frames, padding=0).probes[0].result
        expected = np.abs(frames[1, :2].mean(axis=0) - frames[1].mean(axis=0)).max()
        others = np.abs(frames[0, :3].mean(axis=0) - frames[0].mean(axis=0)).max()
        assert alone == pytest.approx(max(expected, others))

    def test_lengths_count_from_the_left_where_padding_stands_there(self):
        flipped = FEATURES[:, ::-1].copy()
        last = keras.Input((None, 3))
        model = keras.Model(last, last[:, -1])
        assert find_leaks(model, flipped, padding=LENGTHS).verdict == "clear"
        assert find_leaks(model, FEATURES, padding=LENGTHS).verdict == "leaks"

    @pytest.mark.parametrize("short, verdict", [([1, 2, 3, 0], "leaks"), ([0, 1, 2, 3], "clear")])
    def test_lengths_of_which_one_is_shorter_by_one_step(self, short, verdict):
        x = keras.Input((None,), dtype="int32")
        last = keras.Model(x, layers.Embedding(6, 4)(x)[:, -1])
        assert find_leaks(last, np.array([short, [1, 2, 3, 4]]), padding=[3, 4]).verdict == verdict

    @pytest.mark.parametrize("padding", [[2], [[False, False, True, True]], [PADDED[1:]]])
    def test_of_one_sample(self, padding):
        report = find_leaks(mean(), FEATURES[1:], padding=padding)
        assert leaking(report) == {"mean"}

    def test_one_valid_step_among_others_is_not_taken_for_a_mask(self):
        x = np.random.default_rng(0).normal(size=(1, 4, 3)).astype("float32")
        padding = np.array([[False, True, True, True]])
        assert find_leaks(mean(), x, padding=padding).verdict == "leaks"

    @pytest.mark.parametrize("padded", [PADDED, PADDED[:, ::-1], PADDED[:, [0, 3, 1, 2]]])
    def test_on_the_right_on_the_left_and_between(self, padded):
        x = np.random.default_rng(0).normal(size=(2, 4, 3)).astype("float32")
        x[padded] = 0
        report = find_leaks(mean(), x, padding=padded)
        valid = [x[i, ~padded[i]] for i in (0, 1)]
        expected = max(np.abs(valid[i].mean(0) - x[i].mean(0)).max() for i in (0, 1))
        assert report.probes[0].result == pytest.approx(expected)

    def test_a_row_of_length_zero_is_left_out(self):
        report = find_leaks(mean(), FEATURES, padding=[3, 0])
        assert [leak.sample for leak in report.leaks if leak.probe == "alone"] == [0]

    def test_padding_and_a_mask_that_agree(self):
        model = keras.Sequential([keras.Input((None, 3)), MaskedMean()])
        assert find_leaks(model, FEATURES, mask=~PADDED, padding=PADDED).ok


class TestSeveralInputs:
    past = FEATURES
    future = np.random.default_rng(1).normal(size=(2, 4, 3)).astype("float32")

    @pytest.mark.parametrize("padding", [{"future": None}, [0, None], {"past": 0, "future": None}])
    def test_none_ends_the_guessing_from_sizes(self, padding):
        assert find_leaks(two(), [self.past, self.future], padding=padding).ok

    @pytest.mark.parametrize("padding", [{"future": [2, 4]}, [LENGTHS, np.array([2, 4])]])
    def test_each_has_its_own(self, padding):
        report = find_leaks(two(), [self.past, self.future], padding=padding)
        assert leaking(report) == {"mean"}
        expected = np.abs(self.future[0, :2].mean(0) - self.future[0].mean(0)).max()
        assert report.probes[0].result == pytest.approx(expected)

    def test_static_features_are_no_steps(self):
        static = np.random.default_rng(1).normal(size=(2, 4)).astype("float32")
        report = find_leaks(two((4,)), [FEATURES, static], padding={"future": None})
        assert report.ok

    def test_a_number_is_of_every_input(self):
        future = self.future.copy()
        future[0, 2:] = 0
        assert leaking(find_leaks(two(), [FEATURES, future], padding=0)) == {"mean"}

    @pytest.mark.parametrize("padding", [0, [PADDED, 0], {"adjacency": PADDED, "nodes": LENGTHS}])
    def test_an_adjacency_matrix_has_steps_on_two_axes(self, padding):
        nodes = keras.Input((None, 3), name="nodes")
        edges = keras.Input((None, None), name="adjacency")
        valid = ~PADDED
        matrix = np.where(valid[:, None] & valid[:, :, None], 0.5, 0).astype("float32")
        messages = ops.matmul(edges, nodes)
        share = messages / ops.sum(ops.ones_like(edges), axis=-1, keepdims=True)
        inputs, batch = [nodes, edges], [FEATURES, matrix]
        assert find_leaks(keras.Model(inputs, messages), batch, padding=padding).ok
        report = find_leaks(keras.Model(inputs, share), batch, padding=padding)
        assert report.leaks[0].probe == "alone"

    def test_inputs_by_name(self):
        a, b = keras.Input((None, 3), name="a"), keras.Input((None, 3), name="b")
        pooled = [layers.GlobalAveragePooling1D()(x) for x in (a, b)]
        model = keras.Model({"a": a, "b": b}, layers.Add()(pooled))
        batch = {"a": FEATURES, "b": self.future}
        assert find_leaks(model, batch, padding={"a": 0, "b": None}).verdict == "leaks"


class TestWhatCannotBeMeant:
    def refused(self, padding, x=FEATURES, model=None, mask=None):
        with pytest.raises(UnusableInput) as caught:
            find_leaks(model or mean(), x, mask, padding=padding)
        text = str(caught.value)
        assert "\n" not in text
        return text

    def test_a_number_that_is_found_nowhere(self):
        assert "No step holds 7 alone" in self.refused(7)

    @pytest.mark.parametrize("padding", [[0, 0], np.ones((2, 4), bool), {"series": [0, 0]}])
    def test_everything_is_padding(self, padding):
        assert "marks every step as padding" in self.refused(padding)

    def test_the_number_is_everywhere(self):
        assert "nothing is left" in self.refused(0, np.zeros_like(FEATURES))

    def test_booleans_turned_round(self):
        text = self.refused(~PADDED)
        assert "mask= is the other way round" in text

    def test_lengths_that_are_too_long_or_negative(self):
        assert "holds the length 5, and there are 4 steps" in self.refused([5, 2])
        assert "holds the length -1" in self.refused([3, -1])

    @pytest.mark.parametrize(
        "padding",
        [[1, 2, 3], [3.0, 2.0], np.zeros((2, 3), bool), PADDED.astype(int), True, np.array(["a"])],
        ids=str,
    )
    def test_shapes_and_dtypes_that_fit_nothing(self, padding):
        assert "padding=" in self.refused(padding)

    def test_a_name_that_no_input_has(self):
        assert "padding= names 'x'" in self.refused({"x": 0})

    def test_too_few_or_many_for_the_inputs(self):
        x = [FEATURES, FEATURES]
        for padding in ([0], [0, 0, 0], LENGTHS, PADDED):
            assert "There are 2 inputs ('past', 'future')" in self.refused(padding, x, two())

    def test_two_that_contradict_each_other(self):
        text = self.refused(PADDED, mask=PADDED[::-1])
        assert "contradict each other, first at sample 0, step 0" in text

    def test_an_input_without_steps(self):
        x = [FEATURES, np.ones((2, 4), "float32")]
        with pytest.raises(UnusableInput):
            find_leaks(two((4,)), x, padding={"future": np.zeros((2, 3), bool)})

    def test_nobody_says_where_it_is(self):
        with pytest.raises(UnusableInput, match="say it with padding=, such as padding=0"):
            find_leaks(mean(), FEATURES)
        with pytest.raises(UnusableInput, match="say it with padding="):
            find_leaks(mean(), FEATURES, padding={"series": None})


class TestStepsOnAnotherAxis:
    batch = np.where(~PADDED[:, None], 1 + abs(FEATURES[..., :2].swapaxes(1, 2)), 0)

    def model(self):
        x = keras.Input((2, None))
        return keras.Model(x, layers.GRU(3)(layers.Masking()(layers.Permute((2, 1))(x))))

    @pytest.mark.parametrize("padding", [0, [4, 2], PADDED])
    def test_features_in_front(self, padding):
        with pytest.raises(UnusableInput, match="after the layer that swaps them"):
            find_leaks(self.model(), self.batch, padding=padding)

    def test_a_mask_that_is_not_of_an_input(self):
        with pytest.raises(UnusableInput, match="The mask of 'masking.*' could not be seen"):
            find_leaks(self.model(), self.batch)

    def test_a_bias_of_attention(self):
        ids = keras.Input((None,), dtype="int32", name="ids")
        bias = keras.Input((1, 1, None), name="bias")
        x = layers.Embedding(9, 4)(ids)
        scores = ops.matmul(x, ops.transpose(x, (0, 2, 1)))[:, None] + bias
        y = ops.matmul(ops.softmax(scores), x[:, None])
        batch = [np.array([[1, 2, 3, 4], [5, 6, 0, 0]])]
        batch.append(np.where(batch[0] == 0, -1e9, 0)[:, None, None])
        report = find_leaks(keras.Model([ids, bias], y[:, 0]), batch, padding={"ids": 0})
        assert report.verdict == "not measured"
        assert report.probes[0].note == "other-axis"
        assert report.probes[0].details == {"inputs": "'bias'"}


def test_a_word_is_no_padding():
    with pytest.raises(UnusableInput, match="padding='post' is a word"):
        find_leaks(mean(), FEATURES, padding="post")
