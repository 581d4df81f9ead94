"""Padded inputs: made longer, cut shorter, filled with other values."""

import numpy as np
import pytest
from numpy.testing import assert_array_equal

from keras_masking.leaks.probing import Padded, noise, on_the_left, share_masks

IDS = np.array([[1, 2, 3, 0], [4, 0, 0, 0]])
RIGHT = Padded(IDS, mask=IDS != 0, fill=0)
LEFT = Padded(IDS[:, ::-1].copy(), mask=IDS[:, ::-1] != 0, fill=0)


def test_more_padding_on_the_right():
    longer = RIGHT.longer(2, left=False)
    assert_array_equal(longer.values, [[1, 2, 3, 0, 0, 0], [4, 0, 0, 0, 0, 0]])
    assert_array_equal(longer.mask, longer.values != 0)


def test_more_padding_on_the_left():
    longer = LEFT.longer(1, left=True)
    assert_array_equal(longer.values, [[0, 0, 3, 2, 1], [0, 0, 0, 0, 4]])
    assert_array_equal(longer.mask, longer.values != 0)


def test_the_side_of_the_padding():
    assert not on_the_left(RIGHT.mask)
    assert on_the_left(LEFT.mask)
    assert not on_the_left(np.ones((2, 3), bool))
    assert not on_the_left(np.array([[1, 0, 1]], bool))


@pytest.mark.parametrize(
    ("padded", "step"),
    [
        (RIGHT, 0),
        (Padded(np.array([[5.0, -1.0]]), mask=np.array([[True, False]])), -1.0),
        (Padded(np.array([[5.0, 6.0]]), mask=np.array([[True, True]])), 0.0),
        (Padded(np.array([[5, 9]]), mask=np.array([[True, False]]), fill=7), 7),
    ],
)
def test_a_padded_step_is_the_fill_or_like_those_there_are(padded, step):
    assert padded.longer(1, left=False).values[0, -1] == step


def test_a_padded_step_may_hold_features():
    x = np.array([[[1.0, 2.0], [-1.0, -1.0]]])
    longer = Padded(x, mask=np.array([[True, False]]), fill=-1.0).longer(1, left=False)
    assert_array_equal(longer.values[0, 2], [-1, -1])


def test_a_neighbour_keeps_the_step_that_is_farthest_from_padding():
    rows = np.array([True, False])
    assert_array_equal(RIGHT.shorter(rows).values, [[1, 0, 0, 0], [4, 0, 0, 0]])
    assert_array_equal(LEFT.shorter(rows).values, [[0, 0, 0, 1], [0, 0, 0, 4]])
    assert_array_equal(RIGHT.shorter(~rows).values, IDS)


def test_a_neighbour_without_a_valid_step_stays_as_it_is():
    empty = Padded(np.zeros((1, 3)), mask=np.zeros((1, 3), bool), fill=0)
    assert_array_equal(empty.shorter(np.array([True])).mask, empty.mask)


def test_other_values_come_where_the_model_is_told_what_is_padded():
    random = np.random.default_rng(0)
    full = Padded(IDS, mask=np.ones(IDS.shape, bool))
    assert full.other(random) is full
    told = RIGHT.other(random)
    assert_array_equal(told.values[IDS != 0], IDS[IDS != 0])
    assert set(told.values[IDS == 0]) <= {1, 2, 3, 4}


def test_a_mask_that_is_an_input_is_padded_with_false_and_stays():
    mask = Padded(IDS != 0, mask=IDS != 0, is_mask=True)
    assert_array_equal(mask.longer(1, left=False).values[:, -1], [False, False])
    assert mask.other(np.random.default_rng(0)) is mask


def test_noise_is_larger_than_what_is_valid_and_of_either_sign():
    random = np.random.default_rng(0)
    valid = np.array([-2.0, 0.5, np.nan, np.inf])
    drawn = noise((50, 3), valid, random)
    assert (abs(drawn) >= 4).all()
    # in each feature, and in each step
    assert ((drawn > 0).any(axis=0) & (drawn < 0).any(axis=0)).all()
    assert ((drawn > 0).any(axis=1) & (drawn < 0).any(axis=1)).all()
    assert np.isfinite(noise((100,), np.array([np.nan]), random)).all()
    assert (abs(noise((9,), np.array([6e4]), random)) <= 4e4).all()  # float16 holds it
    assert (abs(noise((9,), np.array([1e6]), random)) >= 2e6).all()
    assert np.isfinite(noise((9,), np.array([3e38]), random).astype("float32")).all()


def test_an_input_without_a_mask_shares_that_of_the_same_steps():
    positions = Padded(np.zeros((2, 4, 3)))
    other = Padded(np.zeros((2, 5)))
    shared = share_masks([positions, RIGHT, other])
    assert_array_equal(shared[0].mask, RIGHT.mask)
    assert shared[1] is RIGHT and shared[2] is other


def test_an_input_is_told_by_a_mask_that_is_an_input():
    tokens, mask = Padded(IDS), Padded(IDS != 0, mask=IDS != 0, is_mask=True)
    assert share_masks([tokens, mask])[0].told
    assert not share_masks([tokens, RIGHT])[0].told
