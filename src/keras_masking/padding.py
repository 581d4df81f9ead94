"""Reads `padding=`: which steps of each input are padding, told to the tools alone."""

from typing import Any

import numpy as np
from keras import tree

from keras_masking.inputs import UnusableInput, as_array, listed, titles


class NothingMarked(UnusableInput):
    """No step of this batch holds what `padding=` says."""


# of an input of which nothing was said; None says that it has no padding
UNSAID = object()


def read_padding(
    arrays: Any, names: list[str], padding: Any, masks: list
) -> tuple[list[Any], list[Any]]:
    """What is said of each input, flat: the valid steps, which are booleans, None for an input
    without steps, or UNSAID; and the number that padding holds, or None.

    Args:
        arrays: the inputs as `check_inputs` gives them; names: theirs, flat.
        padding: a number, `(batch,)` integers or booleans, or these by input, as in `find_leaks`.
        masks: what `mask=` says of each input, flat.

    Raises:
        UnusableInput: it does not fit, marks nothing or everything, is turned round, or
            contradicts `mask=`.
    """
    flat = tree.flatten(arrays)
    said = _by_input(flat, names, padding)
    valid = [
        UNSAID if each is UNSAID else _valid(x, each, title)
        for x, each, title in zip(flat, said, titles(names), strict=True)
    ]
    valid = [_of_a_mask(x, each, valid) for x, each in zip(flat, valid, strict=True)]
    known = [x for x in valid if x is not UNSAID and x is not None]
    if _is_number(padding) and all(x.all() for x in known):
        for x, title in zip(flat, titles(names), strict=True):
            if x.ndim > 2 and x.dtype.kind == "f" and holding(x.swapaxes(1, 2), padding).any():
                raise UnusableInput(_of_axis_2(x, title))
        raise NothingMarked(
            f"No step holds {padding} alone, so padding={padding} marks nothing: give the value "
            "that the batch is padded with, or a batch with padding."
        )
    for title, x, mask in zip(titles(names), valid, masks, strict=True):
        if x is UNSAID or x is None or mask is None or x.shape != mask.shape:
            continue
        if (x != mask).any():
            place = ", step ".join(map(str, np.argwhere(x != mask)[0]))
            raise UnusableInput(
                f"{title}: padding= and mask= contradict each other, first at sample {place}. "
                "padding= is True where a step is padding, mask= where it is to be used."
            )
    if _is_number(padding):  # it says nothing of an input that holds it nowhere
        valid = [UNSAID if isinstance(x, np.ndarray) and x.all() else x for x in valid]
    numbers = [
        each if _is_number(each) and x is not UNSAID else None
        for each, x in zip(said, valid, strict=True)
    ]
    return valid, numbers


def _by_input(flat: list, names: list[str], padding: Any) -> list[Any]:
    if isinstance(padding, dict):
        if unknown := sorted(padding.keys() - set(names)):
            raise UnusableInput(
                f"padding= names {listed(unknown)}, and there is no such input; "
                f"the inputs are {listed(names)}."
            )
        return [padding.get(name, UNSAID) for name in names]
    if len(flat) == 1:
        if not isinstance(padding, (list, tuple)) or len(padding) != 1:
            return [padding]
        # of one sample plain numbers are its length, or the padding of its steps
        by_place = len(flat[0]) > 1 or getattr(padding[0], "shape", ()) != ()
        return list(padding) if by_place else [padding]
    if _is_number(padding):
        return [padding] * len(flat)
    if isinstance(padding, (list, tuple)) and len(padding) == len(flat):
        return list(padding)
    raise UnusableInput(
        f"There are {len(flat)} inputs ({listed(names)}), and padding= does not say which it is "
        "of: give a dict by their names, or a list with None for an input that has no padding."
    )


def _is_number(x: Any) -> bool:
    return isinstance(x, (int, float, np.number)) and not isinstance(x, bool)


def _valid(x: np.ndarray, padding: Any, title: str) -> np.ndarray | None:
    if padding is None:
        return None
    if _is_number(padding):
        return ~holding(x, padding)
    if isinstance(padding, str):
        raise UnusableInput(
            f"padding={padding!r} is a word: give the number that padding holds, the lengths, or "
            "booleans (batch, time) with True = padding. The side is read from the batch."
        )
    given = as_array(padding, "padding=")
    if x.ndim < 2:
        raise UnusableInput(
            f"{title} of shape {x.shape} has no axis of steps: say None for it in padding=."
        )
    if given.dtype == bool and given.ndim >= 2:
        if given.shape != x.shape[: given.ndim]:
            if given.shape == (*x.shape[:1], *x.shape[2:3]):
                raise UnusableInput(_of_axis_2(x, title))
            raise UnusableInput(
                f"{title}: padding= of shape {given.shape} does not fit {x.shape}; it has the "
                f"leading axes of the input, here {x.shape[:2]}."
            )
        _check_not_turned(x, given, title)
        valid = ~given
    elif given.dtype.kind in "iu" and given.shape == x.shape[:1]:
        valid = _of_lengths(x, given, title)
    else:
        raise UnusableInput(
            f"{title}: padding= is a number, integers of shape {x.shape[:1]} for the lengths, or "
            f"booleans of shape {x.shape[:2]} with True = padding; "
            f"received {given.dtype} of shape {given.shape}."
        )
    if not valid.any():
        raise UnusableInput(f"{title}: padding= marks every step as padding, so nothing is left.")
    return valid


def holding(x: np.ndarray, value: Any) -> np.ndarray:
    """The steps that hold nothing but `value`: of integers, and of floats of two axes, each entry
    is a step; otherwise axes from the third on are features. Zeros and ones are no indices."""
    same = np.isnan(x) if np.isscalar(value) and value != value else x == value
    entries = x.ndim == 2 or (x.dtype.kind in "iu" and x.max(initial=0) > 1)
    return same if entries else same.all(axis=tuple(range(2, x.ndim)))


def _of_a_mask(x: np.ndarray, valid: Any, of_all: list) -> Any:
    """A mask that is an input has the steps of the one that it is the mask of."""
    if valid is UNSAID or valid is None or valid.shape == x.shape:
        return valid
    alike = [y for y in of_all if isinstance(y, np.ndarray) and y.shape == x.shape]
    return next((y for y in alike if np.array_equal(x != 0, y)), valid)


def _of_lengths(x: np.ndarray, lengths: np.ndarray, title: str) -> np.ndarray:
    steps = x.shape[1]
    if (lengths < 0).any() or (lengths > steps).any():
        wrong = lengths[(lengths < 0) | (lengths > steps)][0]
        if x.ndim > 2 and lengths.min() >= 0 and lengths.max() <= x.shape[2]:
            raise UnusableInput(_of_axis_2(x, title))
        raise UnusableInput(
            f"{title}: padding= holds the length {wrong}, and there are {steps} steps."
        )
    behind = np.arange(steps) < lengths[:, None]
    in_front = behind[:, ::-1]
    return in_front if not empty(x[~behind]) and empty(x[~in_front]) else behind


def _of_axis_2(x: np.ndarray, title: str) -> str:
    return (
        f"{title} of shape {x.shape} seems to have its steps on axis 2, by padding=, and steps are "
        "axis 1 here: measure the part of the model after the layer that swaps them, such as "
        "Permute((2, 1)), on a batch (batch, time, features)."
    )


def _check_not_turned(x: np.ndarray, padding: np.ndarray, title: str) -> None:
    if padding.any() and empty(x[~padding]) and not empty(x[padding]):
        raise UnusableInput(
            f"{title}: padding= spares just the steps that hold nothing, so it looks like a mask. "
            "In padding= True is a step of padding; mask= is the other way round."
        )


def empty(steps: np.ndarray) -> bool:
    """Whether these steps, `(count, ...)`, hold nothing: several the same, or one zeros."""
    if len(steps) < 2:
        return len(steps) == 1 and not steps.any()
    return np.array_equal(
        steps, np.broadcast_to(steps[:1], steps.shape), equal_nan=steps.dtype.kind == "f"
    )
