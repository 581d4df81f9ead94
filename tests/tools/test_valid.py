"""Which entries count, checked by hand."""

import numpy as np
import pytest

from keras_masking.leaks import valid

MASK = np.array([[1, 1, 1, 0], [1, 0, 0, 0]], bool)


@pytest.mark.parametrize(
    ("steps", "expected"),
    [
        (4, [[1, 1, 1, 0], [1, 0, 0, 0]]),
        # blocks of two
        (2, [[1, 0], [0, 0]]),
        # windows of two steps, as a convolution without padding has them
        (3, [[1, 1, 0], [0, 0, 0]]),
        # each step twice and the whole twice: only what is valid by both
        (8, [[1, 1, 1, 0, 1, 1, 0, 0], [1, 0, 0, 0, 0, 0, 0, 0]]),
        # one step more on an unknown side: what is valid on both
        (5, [[0, 1, 1, 0, 0], [0, 0, 0, 0, 0]]),
        (1, [[0], [0]]),
    ],
)
def test_an_axis_with_another_number_of_steps(steps, expected):
    np.testing.assert_array_equal(valid.along(MASK, steps), np.array(expected, bool))


def test_a_last_block_that_is_not_full_counts_by_the_steps_it_has():
    mask = np.array([[1, 1, 1, 1, 1], [1, 1, 1, 1, 0]], bool)
    three, two = (valid.along(mask, steps, strided=True) for steps in (3, 2))
    np.testing.assert_array_equal(three, [[True, True, True], [True, True, False]])
    np.testing.assert_array_equal(two, [[True, True], [True, True]])


def test_half_the_steps_may_come_of_a_stride_or_of_windows():
    mask = np.array([[1, 1, 0, 0], [0, 0, 1, 1]], bool)
    strided = [[True, False], [False, True]]
    np.testing.assert_array_equal(valid.along(mask, 2, strided=True), strided)
    np.testing.assert_array_equal(valid.along(mask, 2, strided=False), np.zeros((2, 2), bool))
    np.testing.assert_array_equal(valid.along(mask, 2), np.zeros((2, 2), bool))


@pytest.mark.parametrize("steps", [0, 4])
def test_an_axis_without_steps_has_no_mask_to_make_others_from(steps):
    assert valid.along(np.zeros((2, 4 - steps), bool), steps) is None


@pytest.mark.parametrize(
    ("shape", "axes"),
    [
        ((2, 4, 3), (1,)),
        ((2, 3, 4), (2,)),
        ((2, 4, 4), (1, 2)),
        ((2, 5, 4, 4), (2, 3)),
        ((2, 4), (1,)),
        ((2, 3), ()),
        ((2, 2, 3), (1,)),
        ((2,), ()),
    ],
)
def test_axes_that_may_hold_steps(shape, axes):
    assert valid.time_axes(shape, MASK) == axes


def test_axes_known_from_a_longer_run():
    assert valid.changed_axes((2, 4, 8), (2, 6, 8)) == (1,)
    assert valid.changed_axes((2, 3, 4, 4), (2, 3, 6, 6)) == (2, 3)
    assert valid.changed_axes((2, 8), (2, 8)) == ()
    assert valid.changed_axes((2, 8), (2, 8, 1)) == ()


ALL = np.array([True, True])


def test_entries_of_a_sequence_are_its_valid_steps():
    expected = np.repeat(MASK[..., None], 3, axis=2)
    np.testing.assert_array_equal(valid.entries((2, 4, 3), MASK, (1,), ALL), expected)


def test_entries_of_attention_scores_are_valid_queries_and_keys():
    found = valid.entries((2, 1, 4, 4), MASK, (2, 3), ALL)
    np.testing.assert_array_equal(found[0, 0], np.outer(MASK[0], MASK[0]))
    np.testing.assert_array_equal(found[1, 0], np.outer(MASK[1], MASK[1]))


def test_without_steps_all_of_a_sample_counts_if_the_sample_does():
    found = valid.entries((2, 3), None, (), np.array([True, False]))
    np.testing.assert_array_equal(found, [[True] * 3, [False] * 3])


def test_what_is_no_batch_is_not_compared():
    assert not valid.entries((4, 3), MASK, (), ALL).any()


def test_a_hierarchy_counts_by_its_inner_steps():
    mask = np.array([[[1, 0], [0, 0]], [[1, 1], [1, 0]]], bool)
    np.testing.assert_array_equal(valid.entries((2, 2, 2, 1), mask, (1, 2), ALL)[..., 0], mask)
    np.testing.assert_array_equal(valid.flat(mask), [[True, False], [True, True]])
