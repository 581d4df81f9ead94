"""The official examples: their small models, their batches, and what brute force finds of them."""

import keras
import numpy as np
import pytest
from keras import layers

from sitekit.measured.examples import repaired
from sitekit.measured.examples import survey as examples
from sitekit.measured.examples.known import EXAMPLES, Input, characters, mask_of, segments, words

ALL = [example for group in EXAMPLES.values() for example in group]
FOUND = {result["name"]: result for result in examples.record()["examples"]}

# All are run where it takes seconds, every eighth where each new shape is compiled.
SHARE = ALL if keras.backend.backend() == "numpy" else ALL[::8]

# Its valid results are those of each sample alone; the gradients of all its weights are nan.
BY_GRADIENTS = {"The same, a softmax over the steps"}


def titled(example):
    return example.name


def test_the_record_holds_every_example_in_its_group():
    assert [(r["group"], r["name"]) for r in examples.record()["examples"]] == [
        (group, example.name) for group, members in EXAMPLES.items() for example in members
    ]


def test_no_two_examples_share_their_place_in_the_record():
    assert len(FOUND) == len(ALL)


@pytest.mark.filterwarnings("ignore:Layer .* does not support masking")
@pytest.mark.filterwarnings("ignore:.* looks like it has unbuilt state")
@pytest.mark.parametrize("example", SHARE, ids=titled)
def test_brute_force_finds_what_the_record_says(example):
    found = examples.difference(example.build, example.inputs, example.alone)
    assert examples.rounded(found) == pytest.approx(FOUND[example.name]["difference"], rel=0.05)


@pytest.mark.parametrize("example", ALL, ids=titled)
def test_a_cure_is_named_where_padding_changes_a_result_and_nowhere_else(example):
    assert (example.cure is not None) == (FOUND[example.name]["difference"] > 0)


@pytest.mark.parametrize("example", [x for x in ALL if x.cured], ids=titled)
def test_a_cure_that_was_tried_keeps_padding_out(example):
    assert FOUND[example.name]["cured"] == 0


def test_the_verdict_agrees_with_brute_force():
    assert {name: result["verdict"] for name, result in FOUND.items()} == {
        name: "leaks" if result["difference"] or name in BY_GRADIENTS else "clear"
        for name, result in FOUND.items()
    }


REPAIRS = repaired.record()
MENDED = {name for name, found in REPAIRS.items() if found["by"]}


def test_what_leaks_is_repaired_or_left_by_the_record():
    assert list(REPAIRS) == [name for name, result in FOUND.items() if result["difference"]]
    assert all(REPAIRS[name]["difference"] == 0 for name in MENDED)


def test_four_of_five_are_repaired():
    assert len(MENDED) >= 0.8 * len(REPAIRS)


@pytest.mark.skipif(keras.backend.backend() != "numpy", reason="others compile each copy")
@pytest.mark.parametrize(
    "name",
    [
        "Named entity recognition using Transformers",
        "Sequence to sequence learning for performing number addition",
    ],
)
def test_a_repair_is_what_the_record_says(name):
    (example,) = (example for example in ALL if example.name == name)
    assert repaired.repaired(example) == REPAIRS[name]


@pytest.mark.parametrize("example", ALL, ids=titled)
def test_each_batch_has_samples_of_unequal_length(example):
    valid = [x.valid for x in keras.tree.flatten(example.inputs) if x.valid is not None]
    assert valid
    assert all(len(np.unique(mask.sum(-1))) > 1 for mask in valid)


@pytest.mark.parametrize("example", ALL, ids=titled)
def test_a_padding_value_stands_in_every_padded_step_and_in_no_other(example):
    for x in keras.tree.flatten(example.inputs):
        if x.value is not None:
            same = x.values == x.value
            same = same if same.ndim == x.valid.ndim else same.all(-1)
            np.testing.assert_array_equal(same, ~x.valid)


def test_spaces_and_segments_are_told_by_booleans():
    np.testing.assert_array_equal(characters().padding, ~characters().valid)
    np.testing.assert_array_equal(segments(words()).padding, ~words().valid)
    assert mask_of(words()).padding == words().padding == 0


def test_a_sample_is_cut_to_its_own_steps_on_either_side():
    right, left = words((3, 2), 4), words((3, 2), 4, left=True)
    assert examples.without(1, right).values.tolist() == right.values[1:, :2].tolist()
    assert examples.without(1, left).values.tolist() == left.values[1:, 2:].tolist()


def test_several_sequences_of_a_sample_are_cut_to_the_longest():
    assert examples.without(0, words(((1, 3), (2, 2)), 4)).values.shape == (1, 2, 3)


def averaged(steps, mask_zero):
    ids = keras.Input((steps,), dtype="int32")
    x = layers.Embedding(20, 4, mask_zero=mask_zero)(ids)
    return keras.Model(ids, layers.GlobalAveragePooling1D()(x))


@pytest.mark.parametrize("left", [False, True])
@pytest.mark.parametrize(("alone", "steps"), [("cut", None), ("free", 4)])
def test_brute_force_tells_a_mean_with_a_mask_from_one_without(left, alone, steps):
    masked, unmasked = (
        examples.difference(
            lambda steps=steps, zero=zero: averaged(steps, zero), words((3, 2), 4, left), alone
        )
        for zero in (True, False)
    )
    assert masked < examples.ROUNDING < 0.1 < unmasked


def test_brute_force_compares_valid_steps_with_valid_steps():
    def build(head):
        ids = keras.Input((None,), dtype="int32")
        return keras.Model(ids, head(layers.Embedding(20, 4)(ids)))

    def centred(x):
        return x - keras.ops.mean(x, axis=1, keepdims=True)

    doubled, mixed = (
        examples.difference(lambda head=head: build(head), words((3, 2), 4), "cut")
        for head in (lambda x: x * 2, centred)
    )
    assert doubled < examples.ROUNDING < 0.1 < mixed


def test_other_words_stand_in_the_padded_steps_only():
    batch = words((3, 2), 4)
    other = examples.with_other_words(batch)
    np.testing.assert_array_equal(other.values[batch.valid], batch.values[batch.valid])
    assert (other.values != batch.values).sum() == (~batch.valid).sum()


def test_a_difference_is_relative_to_the_largest_number_of_its_output():
    ours = [[np.array([[1.0]]), np.array([[50.0]])]]
    theirs = [[np.array([[1.0]]), np.array([[100.0]])]]
    assert examples.relative(ours, theirs) == 0.5


def test_rounding_is_recorded_as_0():
    assert examples.rounded(0.9 * examples.ROUNDING) == 0
    assert examples.rounded(0.12345) == 0.12


def test_an_input_without_padding_has_none():
    assert Input(np.zeros((2, 3))).padding is None
