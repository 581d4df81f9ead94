"""What figures are made of: grids of masks and values, and the masks that Keras makes for them."""

from collections.abc import Iterator

import keras
import numpy as np

from keras_masking import Call, Trace, trace
from keras_masking.rendering.grid import Arrow, Cell, Grid, Item
from sitekit.drawn.texts import Words

MEANS = np.array(
    [
        [[10, 10], [0, 0], [0, 0], [0, 0]],
        [[10, 10], [20, 20], [0, 0], [0, 0]],
        [[10, 10], [20, 20], [30, 30], [0, 0]],
        [[10, 10], [20, 20], [30, 30], [40, 40]],
    ],
    dtype="float32",
)
IDS = np.array([[1, 0, 0, 0], [1, 2, 0, 0], [1, 2, 3, 0], [1, 2, 3, 4]])


def mask_of(x) -> np.ndarray | None:
    """The mask on a tensor of Keras or tf_keras."""
    mask = getattr(x, "_keras_mask", None)
    return None if mask is None else np.asarray(mask)


def behind(layer: keras.Layer, x: np.ndarray, mask: np.ndarray | None = None) -> np.ndarray:
    """The mask on the output of a layer that is given `x`."""
    layer.build(x.shape)
    return trace(layer, x, mask).outputs[0].mask


def steps(run: Trace, word: Words, **labels: str) -> Iterator[tuple[Call, list[Item]]]:
    """The calls directly in the model, each as an arrow, crossed where the mask is lost, and the
    mask after it. `labels` names a class otherwise."""
    shape = (1, 1)
    for call in run:
        computes_a_mask = call.kind == "operation" and not call.events
        if call.depth or computes_a_mask:
            continue
        if call.mask is None:
            grid = no_mask(word("none"), shape)
        else:
            shape = call.mask.shape
            grid = mask_grid(word("mask"), call.mask)
        yield call, [Arrow(labels.get(call.class_name, call.class_name), call.loses), grid]


def said(value) -> str:
    if isinstance(value, str):
        return value
    if isinstance(value, (bool, np.bool_)):
        return "T" if value else "F"
    return "nan" if np.isnan(value) else f"{value:g}"


def written(values) -> str:
    """As a text alternative says them: rows parted by semicolons."""
    return "; ".join(" ".join(map(said, row)) for row in np.atleast_2d(values))


def marked(title: str, values, kinds) -> Grid:
    """Values of at most two axes, each drawn as the kind that is broadcast to its place."""
    values = np.atleast_2d(values)
    kinds = np.broadcast_to(kinds, values.shape)
    rows = zip(values.tolist(), kinds.tolist(), strict=True)
    return Grid(title, tuple(tuple(map(Cell, map(said, row), kind)) for row, kind in rows))


def kept(mask) -> np.ndarray:
    """The kinds of a mask: "keep" or "drop"."""
    return np.where(mask, "keep", "drop")


def mask_grid(title: str, mask) -> Grid:
    return marked(title, mask, kept(mask))


def value_grid(title: str, values, mask=None) -> Grid:
    """Values, drawn as kept or masked where a mask is given."""
    return marked(title, values, "plain" if mask is None else kept(mask))


def no_mask(title: str, shape: tuple[int, int]) -> Grid:
    return Grid(title, ((Cell("?", "lost"),) * shape[1],) * shape[0])
