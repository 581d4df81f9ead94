"""A model's inputs as padded data: cut to their own steps, made longer, other values in padding."""

from collections.abc import Sequence
from dataclasses import dataclass, replace
from typing import Any

import keras
import numpy as np
from keras import tree

from keras_masking._keras import leading, symbolic_inputs
from keras_masking.padding import UNSAID, empty

# by axis, where in a batch the steps of each sample stand, (samples, steps)
Places = dict[int, np.ndarray]


@dataclass(frozen=True, eq=False)
class Padded:
    """One input of a model.

    Attributes:
        values: `(batch, time, ...)`.
        mask: `(batch, time)` or more leading axes, True = valid; None for an input without steps.
        fill: what a padded step holds; None where that is read from the padded steps there are.
        given: whether the mask is handed to the model with the input, since no layer makes it.
        told: whether the model knows the padded steps other than by their values.
        is_mask: whether the values tell the valid steps, as an input named `padding_mask` does.
        said: whether `padding=` says which steps are valid, or that there are none.
        pairs: whether axis 2 holds the same steps as axis 1, as in an adjacency matrix.
        vocabulary: how many indices the Embedding that reads it knows; None where none does.
        sizes: what its `keras.Input` declares, None in an axis that is left open.
    """

    values: np.ndarray
    mask: np.ndarray | None = None
    fill: Any = None
    given: bool = False
    told: bool = False
    is_mask: bool = False
    said: bool = False
    pairs: bool = False
    vocabulary: int | None = None
    sizes: tuple[int | None, ...] | None = None

    @property
    def is_padded(self) -> bool:
        return self.mask is not None and not self.mask.all()

    def shows_padding(self, rows: np.ndarray) -> bool:
        """Whether a step of these samples is padded."""
        return self.mask is not None and not self.mask[rows].all()

    def is_complete(self, rows: np.ndarray) -> bool:
        """Whether it has steps that may be padded, and in these samples none is."""
        return self.mask is not None and not (self.is_single or self.shows_padding(rows))

    @property
    def is_single(self) -> bool:
        """Whether the model declares one step, beside which there can be no padding."""
        return self.sizes is not None and set(self.sizes[1 : self.mask.ndim]) == {1}

    @property
    def knows_padding(self) -> bool:
        """Whether a padded step can be made: from a value that is known or seen in the batch, or
        since the model is handed the mask."""
        return self.fill is not None or self.given or self.is_mask or self.is_padded

    @property
    def can_grow(self) -> bool:
        """Whether padded steps can be added: it is known what they hold, or the layer that makes
        the mask tells whether it takes them for padding."""
        if self.mask is None or self.is_single:
            return False
        return self.knows_padding or not self.said

    @property
    def may_be_padded(self) -> bool:
        """Whether it may have steps of which nobody said whether they are padding."""
        if self.said or self.values.ndim < 2:
            return False
        if self.mask is not None:
            return self.ends_in_zeros
        open_axis = self.sizes is None or None in self.sizes[1:2]
        several_indices = self.vocabulary is not None and self.values.shape[1] > 1
        return open_axis or several_indices or self.values.ndim == 3

    @property
    def ends_in_zeros(self) -> bool:
        """Whether valid steps hold lists of indices, such as those of neighbours or characters, of
        which some end in zeros."""
        lists = self.vocabulary is not None and self.values.ndim == 3 and self.mask.ndim == 2
        if not lists or self.pairs:
            return False
        within = self.values[self.mask]
        return bool((within.any(axis=1) & (within[:, -1] == 0)).any())

    @property
    def step_axes(self) -> tuple[int, ...]:
        """The axes of steps whose size can change: of those of its mask the ones that the model
        leaves open, or where it leaves none open all, of pictures the first."""
        if self.pairs:
            return (1, 2)
        axes = tuple(range(1, self.mask.ndim))
        if self.sizes is None:
            return axes
        free = tuple(axis for axis in axes if self.sizes[axis] is None)
        return free or (axes if len(axes) < 3 else axes[:1])

    @property
    def is_fixed(self) -> bool:
        """Whether the model declares each of the sizes that its steps could change."""
        return self.sizes is not None and all(self.sizes[axis] for axis in self.step_axes)

    @property
    def padding(self) -> np.ndarray:
        """A padded step: `fill`, or a step there is, or 0."""
        shape = self.values.shape[3 if self.pairs else self.mask.ndim :]
        if self.fill is not None and np.ndim(self.fill) == 0:
            return np.full(shape, self.fill, self.values.dtype)
        if self.is_padded and not self.is_mask and not self.pairs:
            return self.values[~self.mask][0]
        return np.zeros(shape, self.values.dtype)

    def own_steps(self, row: int) -> tuple[np.ndarray, ...]:
        """For each of the step axes the places of a sample's own steps."""
        mask = self.mask[row]
        if self.pairs:
            return (np.flatnonzero(mask),) * 2
        return tuple(
            np.flatnonzero(mask.any(axis=tuple(i for i in range(mask.ndim) if i != axis - 1)))
            for axis in self.step_axes
        )

    def own_lengths(self, row: int) -> tuple[int, ...]:
        return () if self.mask is None else tuple(map(len, self.own_steps(row)))

    def rows(self, rows: Sequence[int]) -> "Padded":
        """These samples, as they are."""
        mask = None if self.mask is None else self.mask[rows]
        return replace(self, values=self.values[rows], mask=mask)

    def alone(self, rows: Sequence[int], at_least: int = 1) -> tuple["Padded", Places]:
        """These samples, each cut to its own steps, of which all have the same number.

        Args:
            at_least: where there are fewer own steps, padded ones next to them are kept.

        Returns:
            The samples, and by axis the places, `(rows, steps)`, that the steps had.
        """
        x = replace(self, values=self.values[list(rows)])
        if self.mask is None:
            return x, {}
        x = replace(x, mask=self.mask[list(rows)])
        kept = [self.own_steps(row) for row in rows]
        places = {
            axis: np.stack([_widened(of[i], self.values.shape[axis], at_least) for of in kept])
            for i, axis in enumerate(self.step_axes)
        }
        values, mask = x.values, x.mask
        for axis, at in places.items():
            values = taken(values, at, axis)
            if axis < mask.ndim:
                mask = taken(mask, at, axis)
        return replace(x, values=values, mask=mask), places

    def longer(self, steps: int, left: bool) -> "Padded":
        """The same with more padded steps along each of the step axes."""
        if not self.can_grow:
            return self
        axes = self.step_axes
        width = [
            ((steps, 0) if left else (0, steps)) if axis in axes else (0, 0)
            for axis in range(self.values.ndim)
        ]
        mask = np.pad(self.mask, width[: self.mask.ndim])
        shape = [size + sum(more) for size, more in zip(self.values.shape, width, strict=True)]
        values = np.broadcast_to(self.padding, shape).copy()
        values[
            tuple(
                slice(front, front + size)
                for (front, _), size in zip(width, self.values.shape, strict=True)
            )
        ] = self.values
        return replace(self, values=values, mask=mask)

    def shorter(self, rows: np.ndarray) -> "Padded":
        """The same with one valid step left in these samples, the one farthest from padding."""
        if self.mask is None:
            return self
        mask = self.mask.copy()
        left = on_the_left(mask)
        for row in np.flatnonzero(rows):
            valid = np.flatnonzero(mask[row].any(axis=tuple(range(1, mask[row].ndim))))
            mask[row, valid[:-1] if left else valid[1:]] = False
        return self.with_mask(mask)

    def filled(self) -> "Padded":
        """The same without padding: valid entries of the sample, or of another one where it has
        none, stand in its place."""
        if not self.is_padded:
            return self
        values, mask = self.values.copy(), np.ones_like(self.mask)
        if self.is_mask:
            return replace(self, values=np.ones_like(values), mask=mask)
        for row, valid in enumerate(self.mask):
            of = row if valid.any() else int(self.mask.reshape(len(mask), -1).any(axis=1).argmax())
            known = self.values[of][self.mask[of]]
            values[row][~valid] = np.resize(known, ((~valid).sum(), *known.shape[1:]))
        return replace(self, values=values, mask=mask)

    def filled_with(self, fill: Any) -> "Padded":
        """The same, where no padded step shows it, with this number for what padding holds, or
        None where the input can hold no such number."""
        if fill is None or self.mask is None or self.is_padded:
            return self
        fits = _holds(self.values.dtype, fill)
        fits = fits and (self.vocabulary is None or 0 <= fill < self.vocabulary)
        known = fits and not shows_pairs(self, self.mask)
        return replace(self, fill=fill if known else None)

    def with_mask(self, mask: np.ndarray) -> "Padded":
        """The same with padding where this mask has it and the one before had not."""
        values = self.values.copy()
        gone = self.mask & ~mask
        values[gone] = self.padding
        if self.pairs:
            values.swapaxes(1, 2)[gone] = self.padding
        return replace(self, values=values, mask=mask)

    def other(self, random: np.random.Generator) -> "Padded":
        """The same with other values in padded steps: of indices other ones in range."""
        if not self.is_padded or self.is_mask or self.pairs:
            return self
        values = self.values.copy()
        padded = ~self.mask
        if values.dtype.kind in "iu" or self.vocabulary is not None:
            # only indices that the data holds are sure to be in the vocabulary
            values[padded] = random.choice(values[self.mask].ravel(), values[padded].shape)
        elif values.dtype.kind == "f":
            values[padded] = noise(values[padded].shape, values[self.mask], random)
        return replace(self, values=values)


def valid_samples(inputs: list[Padded]) -> np.ndarray:
    """The samples, `(batch,)`, that have a valid step in every input that has steps."""
    masks = [x.mask for x in inputs if x.mask is not None]
    return np.logical_and.reduce([mask.any(axis=tuple(range(1, mask.ndim))) for mask in masks])


def _holds(dtype: np.dtype, number: float) -> bool:
    """Whether an array can hold a number."""
    if dtype.kind not in "iub":
        return True
    lowest, highest = (0, 1) if dtype.kind == "b" else (np.iinfo(dtype).min, np.iinfo(dtype).max)
    return lowest <= number <= highest and float(number).is_integer()


def taken(x: np.ndarray, places: np.ndarray, axis: int) -> np.ndarray:
    """Of each sample the steps at its places, `(batch, steps)`, along an axis."""
    shape = [len(places)] + [1] * (x.ndim - 1)
    shape[axis] = places.shape[1]
    return np.take_along_axis(x, places.reshape(shape), axis=axis)


def _widened(places: np.ndarray, size: int, at_least: int) -> np.ndarray:
    """Own steps, with padded ones after the last or, at the end of the axis, in front."""
    missing = min(at_least, size) - len(places)
    if missing <= 0:
        return places
    others = np.setdiff1d(np.arange(size), places)
    last = places[-1] if len(places) else -1
    behind = others[others > last][:missing]
    in_front = others[others < last]
    return np.sort(
        np.concatenate([places, behind, in_front[len(in_front) - (missing - len(behind)) :]])
    ).astype(int)


def noise(shape: tuple, valid: np.ndarray, random: np.random.Generator) -> np.ndarray:
    """Finite values from 2 to 4 times as large as the valid ones of the same feature, of either
    sign in turn from step to step and in half of the features of each, so that a maximum and a
    minimum see them. What float16 holds stays so.

    Args:
        shape: `(steps, ...)`, of as many axes as `valid`.
    """
    finite = np.abs(np.where(np.isfinite(valid), valid, 0).astype("float64"))
    largest = finite.max(axis=tuple(range(max(finite.ndim - 1, 1))), initial=0.0)
    scale = np.where(largest > 0, largest, 1.0)
    scale = np.where(scale < 65504, np.minimum(scale, 1e4), np.minimum(scale, 1e37))
    of_features = random.permutation(_in_turn(np.prod(shape[1:], dtype=int)))
    signs = np.outer(_in_turn(shape[0]), of_features).reshape(shape)
    return signs * scale * random.uniform(2, 4, shape)


def _in_turn(count: int) -> np.ndarray:
    return 1 - 2 * (np.arange(count) % 2)


def on_the_left(mask: np.ndarray) -> bool:
    """Whether all padding stands in front of the data."""
    steps = mask.any(axis=tuple(range(2, mask.ndim))).astype(int) if mask.ndim > 2 else mask
    steps = steps.astype(int)
    return bool(not steps.all() and (np.diff(steps, axis=1) >= 0).all())


def at_an_end(mask: np.ndarray) -> bool:
    """Whether each sample's padding stands in front of its data or after it, not between."""
    steps = mask.reshape(-1, mask.shape[-1]).astype(int)
    return bool((np.abs(np.diff(np.pad(steps, ((0, 0), (1, 1))), axis=1)).sum(axis=1) <= 2).all())


def padded(model: keras.Layer, arrays: Any, masks: list, valid: list) -> list[Padded]:
    """The inputs, flat, with what is known of their masks before the model has run.

    Args:
        masks: those that are handed to the model, flat.
        valid: what `padding=` says of each, as `read_padding` gives it.
    """
    flat = tree.flatten(arrays)
    declared = symbolic_inputs(model)
    sizes = [tuple(x.shape) for x in tree.flatten(declared)] if declared is not None else []
    if len(sizes) != len(flat):
        sizes = [None] * len(flat)
    known = [x for x in (*valid, *masks) if x is not None and x is not UNSAID]
    found = []
    for name, values, mask, told, size in zip(
        names(model, arrays), flat, masks, valid, sizes, strict=True
    ):
        if told is not UNSAID:
            same = told is not None and len(flat) > 1 and np.array_equal(values, told)
            x = Padded(values, told, given=mask is not None, said=True, is_mask=same, sizes=size)
            found.append(replace(x, pairs=x.is_padded and shows_pairs(x, told)))
        elif mask is None and tells_steps(name, values, known) and not turned(values, flat):
            mask_of = values.astype(bool)
            found.append(Padded(values, mask_of, is_mask=True, sizes=size))
        else:
            # a model may know index 0 for padding, whatever mask it is given
            found.append(Padded(values, mask, given=mask is not None, sizes=size))
    return found


def names(model: keras.Layer, arrays: Any) -> list[str]:
    paths = tree.flatten_with_path(arrays)
    symbolic = getattr(model, "inputs", None) or []
    if len(symbolic) == len(paths) and not isinstance(arrays, dict):
        return [x.name for x in symbolic]
    return [str(path[-1]) if path else "" for path, _ in paths]


def tells_steps(
    name: str, values: np.ndarray, known: Sequence[np.ndarray] = (), unnamed: bool = False
) -> bool:
    """Whether an input is a padding mask: zeros and ones that are the known padding, or that are
    called a mask, with zeros at an end of each row. A record of which values were observed has its
    zeros between.

    Args:
        unnamed: whether booleans need no such name.
    """
    if values.ndim not in (2, 3) or not np.isin(values, (0, 1)).all():
        return False
    alike = [mask for mask in known if mask.shape == values.shape and not mask.all()]
    if alike:
        return any(np.array_equal(values.astype(bool), mask) for mask in alike)
    if values.ndim == 3 and (values.shape[1] == values.shape[2] or values.shape[2] == 1):
        return False
    if any(word in name for word in ("observed", "missing", "label", "loss", "position")):
        return False
    called = name.removesuffix("s").endswith("mask") or (unnamed and values.dtype == bool)
    return called and at_an_end(values.astype(bool))


def unnamed_masks(inputs: list[Padded], names: list[str]) -> list[Padded]:
    """Inputs that are masks without being called so: booleans, or the padding of another."""
    known = [x.mask for x in inputs if x.mask is not None]
    flat = [x.values for x in inputs]

    def recognised(x: Padded, name: str) -> Padded:
        if x.mask is not None or x.said or turned(x.values, flat):
            return x
        if not tells_steps(name, x.values, known, unnamed=True):
            return x
        return replace(x, mask=x.values.astype(bool), is_mask=True)

    return [recognised(x, name) for x, name in zip(inputs, names, strict=True)]


def turned(values: np.ndarray, inputs: list[np.ndarray]) -> bool:
    """Whether a mask is True where another input holds nothing, as a `key_padding_mask` is."""
    valid = values.astype(bool)
    others = [x for x in inputs if x is not values and leading(x.shape, values.shape)]
    return any(empty(x[valid]) and not empty(x[~valid]) for x in others)


def share_masks(inputs: list[Padded], by_size: bool = False, pairs: bool = True) -> list[Padded]:
    """Gives an input without a mask that of another whose padding it shows, too.

    Args:
        by_size: whether as many steps are enough, whatever stands in them.
        pairs: whether axis 2 may hold the same steps as axis 1.
    """
    masked = sorted((x for x in inputs if x.mask is not None), key=lambda x: not x.is_mask)
    masks = [x.mask for x in masked if x.is_mask]

    def shared(x: Padded) -> Padded:
        # a layer that finds no padding, such as a Masking after another layer, says nothing
        complete = x.mask is not None and x.mask.all()
        if x.mask is not None and not x.is_mask and not complete:
            # what a layer knows by its value may not hold another one
            told = x.fill is None and any(np.array_equal(x.mask, mask) for mask in masks)
            return replace(x, told=True) if told else x
        if x.is_mask or x.said:
            return x
        for other in masked:
            if complete and not (other.is_mask and other.is_padded):
                continue
            outer = other.mask.any(axis=tuple(range(2, other.mask.ndim)))
            if not leading(x.values.shape, outer.shape) or not _open_alike(x, other):
                continue
            steps = outer.shape[1]
            square = x.values.shape[1:3] == (steps, steps) and _open_alike(x, other, axis=2)
            if pairs and square and (by_size or shows_pairs(x, outer)):
                return replace(x, mask=outer, fill=None, pairs=True, told=other.is_mask)
            if not leading(x.values.shape, other.mask.shape):
                continue
            if by_size or _shows_padding(x, other.mask):
                return replace(x, mask=other.mask, fill=None, told=other.is_mask)
        return x

    return [shared(x) for x in inputs]


def _shows_padding(x: Padded, mask: np.ndarray) -> bool:
    """Whether nothing stands where the mask has padding, as far as it has some: one value, which
    of indices and booleans no valid step has."""
    outside = x.values[~mask]
    if not len(outside):
        return True
    whole = x.values.dtype.kind in "biu" or x.vocabulary is not None
    return empty(outside) and not (whole and outside.flat[0] in x.values[mask])


def shows_pairs(x: Padded, mask: np.ndarray) -> bool:
    """Whether axis 2 holds the same steps as axis 1: nothing stands where either is padding."""
    steps = mask.shape[1]
    if mask.ndim != 2 or x.values.shape[1:3] != (steps, steps):
        return False
    if x.sizes is not None and x.sizes[1] != x.sizes[2]:
        return False
    pairs = mask[:, None] & mask[:, :, None]
    return not x.values[~(pairs | np.eye(steps, dtype=bool))].any()  # but for loops


def _open_alike(x: Padded, other: Padded, axis: int = 1) -> bool:
    """Whether both inputs declare the same of their number of steps."""
    if x.sizes is None or other.sizes is None:
        return True
    return len(x.sizes) > axis and x.sizes[axis] == other.sizes[1]


def pack(structure: Any, inputs: list[Padded]) -> tuple[Any, Any]:
    """Arrays and the masks to hand over, in the structure of the model's inputs."""
    arrays = tree.pack_sequence_as(structure, [x.values for x in inputs])
    return arrays, tree.pack_sequence_as(structure, [x.mask if x.given else None for x in inputs])
