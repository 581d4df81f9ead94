from collections import namedtuple

import keras
import numpy as np
import pytest
from keras import layers, tree

from keras_masking import UnusableInput, trace
from keras_masking._keras import get_mask, to_numpy
from keras_masking.inputs import (
    check_inputs,
    check_model,
    flat_masks,
    random_inputs,
    tensors,
)

Pair = namedtuple("Pair", "left right")
A, B = np.ones((2, 3, 2)), np.ones((2, 3, 1))
MASK = np.array([[1, 1, 1], [1, 0, 0]])


def tokens(vocabulary=10, dtype="float32"):
    """One input `(batch, time)`, called "tokens"."""
    x = keras.Input((None,), name="tokens", dtype=dtype)
    y = layers.Embedding(vocabulary, 4, mask_zero=True, name="table")(x)
    return keras.Model(x, layers.GlobalAveragePooling1D()(y), name="reader")


def pair(structure=list):
    """Two inputs, called "a" `(batch, time, 2)` and "b" `(batch, time, 1)`."""
    a, b = keras.Input((None, 2), name="a"), keras.Input((None, 1), name="b")
    given = {"a": a, "b": b} if structure is dict else structure([a, b])
    return keras.Model(given, layers.Concatenate()([a, b]))


def message_of(parameter):
    return parameter if isinstance(parameter, str) else ""


class Undeclared(keras.Model):
    """Takes whatever it is given, and says nothing of it."""

    def call(self, inputs, mask=None):
        return inputs


def undeclared():
    model = Undeclared()
    model(np.ones((1, 2, 3)))
    return model


@pytest.mark.parametrize(
    "inputs",
    [
        [A, B],
        (A, B),
        Pair(A, B),
        {"b": B, "a": A},
        [keras.ops.convert_to_tensor(A), B.astype("float16")],
        pytest.param([A, B[..., 0]], id="a single feature without its axis"),
    ],
    ids=lambda x: type(x).__name__,
)
@pytest.mark.parametrize("structure", [list, tuple])
def test_several_inputs_by_order_or_by_name(structure, inputs):
    arrays, masks = check_inputs(pair(structure), inputs)
    assert isinstance(arrays, structure) and masks is None
    assert [x.shape for x in arrays] == [(2, 3, 2), (2, 3, 1)]
    assert [x.dtype for x in arrays] == ["float32", "float32"]


def test_a_model_with_named_inputs_takes_a_dict():
    arrays, _ = check_inputs(pair(dict), {"b": B, "a": A})
    assert {name: x.shape for name, x in arrays.items()} == {"a": (2, 3, 2), "b": (2, 3, 1)}


def test_nested_lists_of_numbers_are_one_array():
    arrays, mask = check_inputs(tokens(), [[1, 2], [3, 0]], [[True, True], [True, False]])
    np.testing.assert_array_equal(arrays, [[1, 2], [3, 0]])
    np.testing.assert_array_equal(mask, [[True, True], [True, False]])


def test_a_model_that_declares_no_inputs_takes_any_structure():
    arrays, masks = check_inputs(undeclared(), {"x": Pair(A, [B])}, {"x": Pair(None, [MASK])})
    assert isinstance(arrays["x"], Pair)
    assert [mask is not None for mask in flat_masks(arrays, masks)] == [False, True]


@pytest.mark.parametrize(
    "inputs, message",
    [
        (None, "An input is missing: received None."),
        ([], "The input takes shape (None, None), received (0,)."),
        (3, "The input takes shape (None, None), received ()."),
        (A, "The input takes shape (None, None), received (2, 3, 2)."),
        (np.zeros((0, 3)), "The input is empty, of shape (0, 3): at least one sample"),
        (np.zeros((2, 0)), "The input is empty, of shape (2, 0): at least one sample"),
        ([[1, 2], [3]], "The input has rows of unequal length: pad it to a dense batch first"),
        ([["a", "b"]], "The input holds strings: give it the numbers that a TextVectorization"),
        (np.array([["a"]], object), "The input holds strings"),
        (1j * MASK, "received numpy.ndarray of dtype complex128."),
        (object(), "The input is no array of numbers or booleans: received object of dtype object"),
        (keras.KerasTensor((2, 3)), "The input is symbolic, a keras.Input: give it numbers."),
        ([MASK, MASK], "The model takes 1 input ('tokens'), received 2."),
        ({"words": MASK}, "lacks 'tokens' and has no use for 'words'."),
    ],
    ids=message_of,
)
def test_what_one_input_refuses(inputs, message):
    with pytest.raises(UnusableInput) as refusal:
        check_inputs(tokens(), inputs)
    assert message in str(refusal.value)


@pytest.mark.parametrize(
    "structure, inputs, message",
    [
        (list, A, "The model takes 2 inputs ('a', 'b'), received 1."),
        (list, [A, B[:1]], "differ in their number of samples: (2, 3, 2), (1, 3, 1)."),
        (list, [A, A], "The input 'b' takes shape (None, None, 1), received (2, 3, 2)."),
        (list, [A, None], "An input is missing: received None."),
        (list, {"a": A}, "The model takes inputs named 'a', 'b'; what it was given lacks 'b'."),
        (dict, {"a": A, "b": B, "c": B}, "has no use for 'c'."),
        (dict, [A, B], "The model takes its inputs by name ('a', 'b'): give a dict."),
    ],
    ids=message_of,
)
def test_what_several_inputs_refuse(structure, inputs, message):
    with pytest.raises(UnusableInput) as refusal:
        check_inputs(pair(structure), inputs)
    assert message in str(refusal.value)


def test_fractions_are_no_indices():
    with pytest.raises(UnusableInput, match="takes int32, received float64 with fractions or nan"):
        check_inputs(tokens(dtype="int32"), [[1.5]])
    with pytest.raises(UnusableInput, match="with fractions or nan"):
        check_inputs(tokens(dtype="int32"), [[np.nan]])
    arrays, _ = check_inputs(tokens(dtype="int32"), [[2.0]])
    assert arrays.dtype == "int32"


def test_a_model_of_strings_is_refused():
    x = keras.Input((None,), dtype="string")
    model = keras.Model(x, layers.Identity()(x))
    with pytest.raises(UnusableInput, match="The input takes strings: give it the numbers that"):
        check_inputs(model, [[1, 2]])
    with pytest.raises(UnusableInput, match="takes string: give it the numbers that"):
        random_inputs(model, 2, 3, 0)


@pytest.mark.parametrize("index", [10, -1])
def test_an_index_outside_the_vocabulary_is_named(index):
    message = f"The layer 'table' has rows for the indices 0 to 9, and received {index}: give"
    with pytest.raises(UnusableInput) as refusal:
        trace(tokens(), [[1, index]])
    assert str(refusal.value).startswith(message)
    trace(tokens(), [[0, 9]])


@pytest.mark.parametrize(
    "mask, masked",
    [
        (None, [False, False]),
        ([None, None], [False, False]),
        ([MASK, None], [True, False]),
        ((MASK, MASK.astype(bool)), [True, True]),
        ({"b": MASK}, [False, True]),
        ({"a": MASK.tolist(), "b": None}, [True, False]),
    ],
)
def test_masks_by_order_or_by_name(mask, masked):
    arrays, masks = check_inputs(pair(), [A, B], mask)
    flat = flat_masks(arrays, masks)
    assert [x is not None for x in flat] == masked
    for found in filter(lambda x: x is not None, flat):
        np.testing.assert_array_equal(found, MASK.astype(bool), strict=True)


@pytest.mark.parametrize(
    "mask, message",
    [
        (MASK, "There are 2 inputs ('a', 'b') and masks for 1: give a list with None"),
        ([MASK] * 3, "and masks for 3"),
        ({"c": MASK}, "There is a mask for 'c', and no such input; the inputs are 'a', 'b'."),
        ([None, MASK[:, :2]], "The mask of shape (2, 2) does not fit the input of shape (2, 3, 1)"),
        ([None, [1, 1]], "The mask of shape (2,) does not fit"),
        ([None, 2 * MASK], "A mask holds True for each step to use"),
        ([None, [[1, 1, 1], [1]]], "The mask has rows of unequal length"),
    ],
    ids=message_of,
)
def test_masks_that_do_not_fit(mask, message):
    with pytest.raises(UnusableInput) as refusal:
        check_inputs(pair(), [A, B], mask)
    assert message in str(refusal.value)


def test_tensors_carry_their_masks():
    x, y = tensors(*check_inputs(pair(), [A, B], {"b": MASK}))
    assert get_mask(x) is None
    np.testing.assert_array_equal(to_numpy(get_mask(y)), MASK.astype(bool))
    (again,) = tree.flatten(tensors(np.asarray(x)))
    assert get_mask(again) is None


def test_what_is_no_model():
    with pytest.raises(UnusableInput, match="A Keras model or layer is needed, received str."):
        check_model("model.keras")
    with pytest.raises(UnusableInput, match="'early' was never built, so it has no weights"):
        check_model(keras.Sequential([layers.Dense(2)], name="early"))


def test_random_indices_stay_in_the_vocabulary_of_their_table():
    nested = keras.Sequential([keras.Input((None,)), tokens(vocabulary=3)])
    x = random_inputs(nested, samples=4, steps=6, seed=0)
    assert set(np.unique(x)) == {0, 1, 2}
    assert (x != 0).sum(axis=1).tolist() == [6, 5, 3, 2]
    np.testing.assert_array_equal(x, random_inputs(nested, samples=4, steps=6, seed=0))
    assert (x != random_inputs(nested, samples=4, steps=6, seed=1)).any()


def test_random_features_are_padded_with_what_is_masked():
    x = keras.Input((None, 2))
    model = keras.Model(x, layers.LSTM(2)(layers.Masking(-1)(x)))
    batch = random_inputs(model, samples=2, steps=3, seed=0)
    assert batch.shape == (2, 3, 2) and batch.dtype == "float32"
    assert (batch == -1).all(axis=-1).tolist() == [[False] * 3, [False, True, True]]


def test_a_random_mask_fits_the_random_batch():
    x, mask = keras.Input((4, 2), name="x"), keras.Input((4,), name="padding_mask", dtype="int32")
    model = keras.Model({"x": x, "padding_mask": mask}, layers.LSTM(2)(x, mask=mask))
    batch = random_inputs(model, samples=3, steps=8, seed=0)
    assert batch["padding_mask"].tolist() == [[1, 1, 1, 1], [1, 1, 0, 0], [1, 0, 0, 0]]
    np.testing.assert_array_equal((batch["x"] != 0).all(axis=-1), batch["padding_mask"])


def test_sizes_that_the_model_fixes_are_kept():
    x = keras.Input(batch_shape=(3, 5, 2))
    batch = random_inputs(keras.Model(x, layers.LSTM(2)(x)), samples=9, steps=9, seed=0)
    assert batch.shape == (3, 5, 2)


def test_no_random_batch_for_a_model_that_declares_no_inputs():
    with pytest.raises(UnusableInput, match="does not say what it takes"):
        random_inputs(undeclared(), 2, 3, 0)
