"""Runs a model and keeps track of which steps of every tensor are valid."""

from collections.abc import Sequence
from dataclasses import replace
from typing import Any, Literal, NamedTuple

import keras
import numpy as np
from keras import tree

from keras_masking._keras import (
    Functional,
    get_mask,
    is_tensor,
    leading,
    makes_mask,
    set_mask,
    sublayers,
    to_numpy,
)
from keras_masking.attached import Attached
from keras_masking.inputs import UnusableInput, whole
from keras_masking.leaks import probing, valid
from keras_masking.leaks.probing import Padded
from keras_masking.padding import holding
from keras_masking.records import Call, Tensor
from keras_masking.tracing import Frame, Recorder, is_stock, run, unchanged

# operations by which a model may know padding by its value without a comparison
READS_VALUES = ("Sign", "OneHot", "MultiHot", "Nan", "CountNonzero", "Clip", "Relu", "Bincount")

# a tensor of a call, the same in every run: the place and the class of the call, what the tensor
# is to it, and its number
Key = tuple[tuple[int, ...], str, str, int]


def key(frame: Frame, role: Literal["given", "output"], i: int) -> Key:
    return frame.place, type(frame.operation).__name__, role, i


class Follower(Recorder):
    """A recorder that knows of every tensor which of its steps are valid.

    Attributes:
        called: by the id of an operation the number of its latest call of all its calls.
    """

    def __init__(self, model: keras.Layer, inputs: list[Padded]):
        super().__init__(model)
        self.inputs = inputs
        self.steps = Attached()
        self.unsure = Attached()
        self.results: list[np.ndarray] = []
        self.called: dict[int, int] = {}
        self.made: dict[int, np.ndarray] = {}
        self.makers: dict[int, str] = {}

    def start(self, structure: Any, state: Sequence = ()) -> None:
        arrays, masks = probing.pack(structure, self.inputs)
        with unchanged(self.model, state), self.running():
            outputs = run(self.model, arrays, masks)
        self.results = [to_numpy(x) for x in tree.flatten(outputs) if is_tensor(x)]

    @property
    def hidden(self) -> bool:
        """Whether this happens inside a layer of Keras, which is looked at from outside only."""
        return any(frame.of_keras for frame in self.frames)

    def entered(self, frame: Frame, flat: list) -> None:
        if self.hidden:
            return
        if not self.frames:
            for x, padded in zip(flat, self.inputs, strict=False):
                self.steps[x] = padded.mask
        for i, x in enumerate(flat):
            if x not in self.steps:
                self.steps[x] = self.of_stranger(x)
                self.met(frame, i, x)

    def passed_on(self, frame: Frame, row: Call, flat: list, outputs: Any) -> Any:
        if self.hidden:
            return outputs
        self.called[id(frame.operation)] = self.called.get(id(frame.operation), 0) + 1
        self.note_maker(frame, row, flat)
        steps = [self.steps.get(x) for x in flat]
        flat_outputs = tree.flatten(outputs)
        results = iter(row.outputs)
        for i, x in enumerate(flat_outputs):
            if is_tensor(x):
                result = next(results)
                if x in self.steps:  # what a layer inside has made keeps the steps it has there
                    own = result.mask is not None and leading(result.shape, result.mask.shape)
                    mask = self.steps.get(x)
                    mask = result.mask if mask is None and own else mask
                else:
                    mask = self.steps_of(key(frame, "output", i), result, steps, frame.operation)
                flat_outputs[i] = self.gave(frame, i, x, mask)
                if flat_outputs[i] is not x and get_mask(x) is not None:
                    set_mask(flat_outputs[i], get_mask(x))
                self.steps[flat_outputs[i]] = mask
        self.left(frame)
        return tree.pack_sequence_as(outputs, flat_outputs)

    def met(self, frame: Frame, i: int, x: Any) -> None:
        """Told of an input that no call has made."""

    def gave(self, frame: Frame, i: int, x: Any, mask: np.ndarray | None) -> Any:
        """Told of an output; returns what goes on in its place."""
        return x

    def left(self, frame: Frame) -> None:
        """Told of the end of a call."""

    def note_maker(self, frame: Frame, row: Call, flat: list) -> None:
        """Which input of the model a layer made a mask from."""
        if "creates" not in row.events or not flat or self.made_inside(frame):
            return
        read = sorted({i for x in flat for i in self.equal_to(x)})
        for i in read:
            if i not in self.made and not self.inputs[i].given:
                self.made[i], self.makers[i] = row.mask, row.path
                self.maker(i, frame)
                return
        if not read:
            self.not_found(frame, row, flat)

    def equal_to(self, x: Any) -> list[int]:
        """The inputs of the model that hold the same as a tensor."""
        values = to_numpy(x)
        return [i for i, padded in enumerate(self.inputs) if _equal(padded.values, values)]

    def made_inside(self, frame: Frame) -> bool:
        """Whether a call in this one made the mask that it passes on."""
        return any(
            row is not None and row.parent == frame.row and row.mask is not None
            for row in self.rows[(frame.row or 0) + (frame.row is not None) :]
        )

    def maker(self, i: int, frame: Frame) -> None:
        """Told of the call that made the mask of an input."""

    def not_found(self, frame: Frame, row: Call, flat: list) -> None:
        """Told of a call that made a mask of something else than an input."""

    def of_stranger(self, x: Any) -> np.ndarray | None:
        """The steps of a tensor that no call has made: an input of the model, as it is or changed
        by code that Keras does not see. Of several that it may come from, what is valid in all."""
        values = to_numpy(x)
        for padded in self.inputs:
            if _equal(padded.values, values):
                return padded.mask
        masks = [padded.mask for padded in self.inputs if padded.mask is not None]
        # of a hierarchy that was summed up, the outer steps
        for known in (masks, [valid.flat(mask) for mask in masks]):
            alike = [mask for mask in known if leading(tuple(x.shape), mask.shape)]
            if alike:
                break
        else:
            return self.of_other_steps(tuple(x.shape), masks)
        mask = alike[0]
        others = [y.mask for y in self.inputs if leading(y.values.shape, mask.shape)]
        if not all(_equal(mask, other) for other in others):
            self.unsure[x] = True
        return np.logical_and.reduce([other for other in alike if other.shape == mask.shape])

    def of_other_steps(self, shape: tuple, masks: list[np.ndarray]) -> np.ndarray | None:
        """Of a tensor that code made: with steps on another axis, or with a few more or fewer."""
        for mask in map(valid.flat, masks):
            if len(shape) < 3 or shape[0] != len(mask):
                continue
            if mask.shape[1] in shape[1:]:
                return mask
            if abs(shape[1] - mask.shape[1]) <= valid.MOST_BESIDE:
                return valid.along(mask, shape[1])
        return None

    def axes(self, key: Key, shape: tuple, mask: np.ndarray) -> tuple[int, ...]:
        return valid.time_axes(shape, valid.flat(mask))

    def steps_of(
        self, key: Key, x: Tensor, given: list, operation: keras.Operation
    ) -> np.ndarray | None:
        """The mask of the steps of an output: its own, or what becomes of those of the inputs."""
        if is_attention(operation):
            given = given[:1]  # an answer to each query
        known = [mask for mask in given if mask is not None]
        if x.mask is not None and x.mask.ndim > 1 and leading(x.shape, x.mask.shape):
            alike = [mask for mask in known if mask.shape == x.mask.shape]
            return x.mask & np.logical_or.reduce(alike) if alike else x.mask
        if not known:
            return None
        alike = [mask for mask in known if mask.shape == known[0].shape]
        mask = np.logical_and.reduce(alike)
        if x.shape[:1] != mask.shape[:1]:
            return mask  # samples and steps in one axis, until they are parted again
        if mask.ndim > 2 and not leading(x.shape, mask.shape):
            mask = valid.flat(mask)
        axes = self.axes(key, x.shape, mask)
        if not axes:
            return None
        if mask.ndim == 2 and 1 in axes:
            return valid.along(mask, x.shape[1], strided(operation))
        return mask


class Scout(Follower):
    """Finds out which layer makes the mask of which input, and from which value."""

    def __init__(self, model: keras.Layer, inputs: list[Padded]):
        super().__init__(model, inputs)
        self.fills: dict[int, Any] = {}
        self.vocabularies: dict[int, int] = {}
        self.indirect: list[tuple[keras.Operation, np.ndarray, frozenset[int]]] = []
        self.origins = Attached()
        self.booleans = False

    def entered(self, frame: Frame, flat: list) -> None:
        super().entered(frame, flat)
        if not self.frames:
            for i, x in enumerate(flat[: len(self.inputs)]):
                self.origins[x] = frozenset([i])
        embedding = embedding_of(frame.operation)
        if embedding is not None and flat:
            for i in self.indices(flat[0]):
                known = self.vocabularies.get(i, embedding.input_dim)
                self.vocabularies[i] = min(known, embedding.input_dim)

    def indices(self, x: Any) -> list[int]:
        """The inputs whose values are looked up: as they are or, of whole numbers, changed by
        code, such as turned round."""
        same, origins = self.equal_to(x), self.origin(x)
        if same or len(origins) > 1:
            return same
        return [i for i in origins if whole(self.inputs[i].values)]

    def passed_on(self, frame, row, flat, outputs):
        outputs = super().passed_on(frame, row, flat, outputs)
        origins = [self.origin(x) for x in flat]
        for x in tree.flatten(outputs):
            if is_tensor(x) and x not in self.origins:
                self.origins[x] = frozenset().union(*origins)
        if row.kind == "operation":
            reads = row.class_name.startswith(READS_VALUES) or any(
                x.dtype == "bool" for x in row.outputs
            )
            self.booleans |= reads
        return outputs

    def origin(self, x: Any) -> frozenset[int]:
        """The inputs that a tensor may be made from."""
        if x in self.origins:
            return self.origins.get(x)
        return frozenset(self.equal_to(x) or range(len(self.inputs)))

    def maker(self, i: int, frame: Frame) -> None:
        layer = frame.operation
        if embedding_of(layer) is not None:
            self.fills[i] = 0
        elif isinstance(layer, keras.layers.Masking):
            self.fills[i] = layer.mask_value

    def not_found(self, frame: Frame, row: Call, flat: list) -> None:
        origins = frozenset().union(*map(self.origin, flat))
        self.indirect.append((frame.operation, row.mask, origins))

    @property
    def blind(self) -> bool:
        """Whether nothing in the model can tell a padded step by its value: no Masking, no
        Embedding with a mask, no comparison, and no code but that of Keras's own layers."""
        layers = sublayers(self.model)
        own_code = not isinstance(self.model, (keras.Sequential, Functional)) and not is_stock(
            self.model
        )
        return not (self.booleans or own_code) and not any(
            makes_mask(x)
            or isinstance(x, (keras.layers.Lambda, keras.layers.CategoryEncoding))
            or not (is_stock(x) or isinstance(x, (keras.Sequential, Functional)))
            for x in layers
        )

    def found(self) -> list[Padded]:
        return [self.with_mask(i, x) for i, x in enumerate(self.inputs)]

    def with_mask(self, i: int, x: Padded) -> Padded:
        x = replace(x, vocabulary=self.vocabularies.get(i))
        made = self.made.get(i)
        if x.said or x.mask is not None:
            right = made is not None and x.mask is not None and np.array_equal(made, x.mask)
            # a model may know index 0 for padding, whatever mask it is given
            told = x.given and x.values.dtype.kind == "f" and x.vocabulary is None
            return replace(x, fill=self.fills.get(i) if right else None, told=told or x.told)
        if made is None:
            return self.guess(i, x)
        if made.ndim < 2 or not leading(x.values.shape, made.shape):
            raise UnusableInput(
                f"The layer {self.makers[i]!r} makes a mask of shape {made.shape} of an input of "
                f"shape {x.values.shape}: that has no axis of steps, so no step is padding. Give "
                "it an input of shape (batch, time, features)."
            )
        return replace(x, mask=made, fill=self.fills.get(i))

    def guess(self, i: int, x: Padded) -> Padded:
        """Where a mask is made from what becomes of an input, such as a slice of it."""
        for operation, mask, origins in self.indirect:
            if i not in origins or mask.ndim < 2:
                continue
            if isinstance(operation, keras.layers.Masking) and np.ndim(operation.mask_value) == 0:
                steps = ~holding(x.values, operation.mask_value)
                if steps.shape == mask.shape and (steps.sum(1) == mask.sum(1)).all():
                    return replace(x, mask=steps, fill=operation.mask_value)
            if embedding_of(operation) is None:
                if leading(x.values.shape, mask.shape) and len(origins) == 1:
                    return replace(x, mask=mask)
            elif x.values.ndim == mask.ndim and whole(x.values):
                return replace(x, mask=x.values != 0, fill=0)
        return x


def embedding_of(operation: keras.Operation) -> keras.layers.Embedding | None:
    """The Embedding that a call looks up in, alone or in a wrapper."""
    inner = getattr(operation, "layer", operation)
    return inner if isinstance(inner, keras.layers.Embedding) else None


def looks_up(operation: keras.Operation, given: list, output: Any) -> bool:
    """Whether a call finds a vector for each index; one that uses the table the other way round,
    for scores of all words, gives as many axes as it takes."""
    if embedding_of(operation) is None or not given:
        return False
    return all(len(x.shape) == len(given[0].shape) + 1 for x in tree.flatten(output))


class Seen(NamedTuple):
    """A tensor of the run on the batch as it is, and the mask of its steps if it has any."""

    values: Any
    mask: np.ndarray | None


class Entry(NamedTuple):
    """What a layer writes into padded steps, whose content is not known to the layers after it.

    Attributes:
        valid: its valid steps.
        zeros: whether it writes zeros whatever the weights are.
        placed: whether it is certain where padding is: the layer makes a mask, or looks an input of
            the model up as it is.
        layer, times: the layer, and the number of its call of all calls of it.
    """

    valid: np.ndarray
    zeros: bool
    placed: bool
    layer: keras.Operation
    times: int


class Base(Follower):
    """The run on the batch as it is, whose tensors the other runs are compared with.

    Attributes:
        tensors: what every call was given by no other call, and what it gave.
        known_axes: the axes that hold steps, once a run on another length has shown them.
        rounding: what rounding alone may change, as `rounding.Rounding`; None until it is measured,
            which is where something differs.
        sample_axes: of tensors with another axis as long as the batch, which axes hold samples; of
            others it is the first.
        exists: of axes of windows, by axis, which steps a sample has alone too, (batch, steps).
        entries: the outputs of the layers that make a mask, and of those that look indices up:
            what they hold in padded steps is what the model knows of padding. By key the padding,
            and whether it is always the same zeros.
        masks_padding: whether some output carries a mask that is False somewhere.
        turned: whether a layer makes another mask than the steps of its input have, as it does
            where code has turned them round.
        unplaced: whether a layer without a mask looks the indices of an input up in another order,
            so that nothing can be put in the place of their padding.
        reading: the rows of Masking layers that are given an input of the model as it is.
        lost_before: by row, the call that lost the mask of what this call was given, or that put
            one on it which counts padding as valid.
        rows_at: by `Frame.place` the row of a call. Another run may have other gaps, and then other
            rows.
        gaps: of what a call was given by no other call, the gap that it comes from.
    """

    def __init__(self, model: keras.Layer, inputs: list[Padded]):
        super().__init__(model, inputs)
        self.tensors: dict[Key, Seen] = {}
        self.known_axes: dict[Key, tuple[int, ...]] = {}
        self.rounding: Any = None
        self.sample_axes: dict[Key, tuple[int, ...]] = {}
        self.exists: dict[Key, dict[int, np.ndarray]] = {}
        self.entries: dict[Key, Entry] = {}
        self.lost_before: dict[int | None, int | None] = {}
        self.spoilt = Attached()
        self.operations: dict[int | None, keras.Operation] = {}
        self.reading: set[int | None] = set()
        self.masks_padding = self.turned = self.unplaced = False
        self.row_at: dict[Key, int | None] = {}
        self.rows_at: dict[tuple[int, ...], int | None] = {}
        self.gaps: dict[Key, int] = {}

    def start(self, structure: Any, state: Sequence = ()) -> None:
        super().start(structure, state)
        if self.turned or self.unplaced:  # for other indices it is not known where padding is
            self.entries = {at: entry for at, entry in self.entries.items() if entry.placed}

    def result_key(self, i: int) -> Key:
        """Of an output of the model."""
        return (), type(self.model).__name__, "output", i

    def steps_along(self, key: Key, size: int) -> np.ndarray:
        """The valid steps of an axis of a tensor, as far as its mask or another input tells."""
        x, mask = self.tensors[key]
        if mask is not None and mask.shape[1] != size:
            masks = [valid.flat(x.mask) for x in self.inputs if x.mask is not None]
            if alike := [of for of in masks if of.shape == (x.shape[0], size)]:
                return np.logical_and.reduce(alike)
        steps = None if mask is None else valid.along(valid.flat(mask), size)
        return np.ones((x.shape[0], size), bool) if steps is None else steps.copy()

    def result_entries(self, rows: np.ndarray) -> list[np.ndarray | None]:
        """The valid entries of each output of the model."""
        found, i = [], 0
        while (key := self.result_key(i)) in self.tensors:
            x, mask = self.tensors[key]
            axes = self.known_axes.get(key, ()) if self.known_axes else None
            if axes is None:
                axes = () if mask is None else self.axes(key, tuple(x.shape), mask)
            at = valid.entries(tuple(x.shape), mask, axes, rows, self.exists.get(key, {}))
            found.append(at if at.shape[:1] == rows.shape else None)
            i += 1
        return found

    def call_of(self, paths: Sequence[str]) -> int | None:
        """The last call of a layer that holds one of these variables itself."""
        return max(
            (
                row
                for row, operation in self.operations.items()
                if row is not None and isinstance(operation, keras.Layer)
                for variable in operation.trainable_variables
                if variable.path in paths
            ),
            default=None,
        )

    def first_not_finite(self) -> int | None:
        """The first call whose output is not finite in padded steps alone."""
        for key, (x, mask) in self.tensors.items():
            row = self.row_at.get(key)
            if row is None or mask is None or not leading(tuple(x.shape), mask.shape):
                continue
            finite = np.isfinite(to_numpy(x).astype("float64"))
            if finite[mask].all() and not finite[~mask].all():
                return row
        return None

    def entered(self, frame, flat) -> None:
        self.rows_at[frame.place] = frame.row
        super().entered(frame, flat)

    def met(self, frame, i, x) -> None:
        at = key(frame, "given", i)
        self.tensors[at] = Seen(x, self.steps.get(x))
        lost = self.lost.get(x)
        if lost is not None and self.rows[lost] and self.rows[lost].kind == "gap":
            self.gaps[at] = lost

    def gave(self, frame, i, x, mask):
        at = key(frame, "output", i)
        self.tensors[at] = Seen(x, mask)
        self.row_at[at] = frame.row if frame.listed else None
        return x

    def passed_on(self, frame, row, flat, outputs):
        outputs = super().passed_on(frame, row, flat, outputs)
        if self.hidden:
            return outputs
        self.note_entry(frame, row, flat, outputs)
        if frame.listed:
            self.operations[frame.row] = frame.operation
            if isinstance(frame.operation, keras.layers.Masking) and any(
                _equal(padded.values, to_numpy(flat[0])) for padded in self.inputs
            ):
                self.reading.add(frame.row)
        self.masks_padding |= any(x.mask is not None and not x.mask.all() for x in row.outputs)
        spoilt = min((self.spoilt.get(x) for x in flat if x in self.spoilt), default=None)
        self.lost_before[frame.row] = self.lost_for(frame, flat, spoilt)
        made = (x for x in tree.flatten(outputs) if is_tensor(x))
        for x, described in zip(made, row.outputs, strict=True):
            steps = self.steps.get(x)
            if described.mask is not None and steps is not None and spoilt is None:
                wrong = described.mask.shape == steps.shape and (described.mask & ~steps).any()
                spoilt = frame.row if wrong else None
            if spoilt is not None and x not in self.spoilt:
                self.spoilt[x] = spoilt
        return outputs

    def note_entry(self, frame: Frame, row: Call, flat: list, outputs: Any) -> None:
        embeds = looks_up(frame.operation, flat, outputs)
        makes = "creates" in row.events and not self.made_inside(frame)
        if not (embeds or makes) or any(x in self.unsure for x in flat):
            return
        if embeds and not makes and not self.padded_where_it_was(flat[0]):
            return
        for i, x in enumerate(tree.flatten(outputs)):
            mask = self.steps.get(x) if is_tensor(x) else None
            own = self.read(get_mask(x)) if mask is not None else None
            if own is not None and own.shape == mask.shape:
                self.turned |= makes and not np.array_equal(own, mask)
                mask = mask | own  # of an input that was turned round only both can be trusted
            if mask is None or mask.all() or not leading(tuple(x.shape), mask.shape):
                continue
            values = to_numpy(x)
            if values.dtype.kind != "f" and values.dtype.name != "bfloat16":
                continue
            zeros = not embeds and not np.any(values[~mask])
            zeros |= isinstance(frame.operation, keras.layers.Masking)
            placed = makes or bool(self.equal_to(flat[0]))
            times = self.called[id(frame.operation)]
            entry = Entry(mask, zeros, placed, frame.operation, times)
            self.entries[key(frame, "output", i)] = entry

    def padded_where_it_was(self, x: Any) -> bool:
        """Whether the padded steps of indices hold padding, as it does not when a slice has
        turned them round."""
        values, mask = to_numpy(x), self.steps.get(x)
        if mask is None or values.shape != mask.shape:
            return True
        padding = np.sort(values[~mask])
        ordered = np.sort(values, axis=1)
        same = [
            y.values[~y.mask]
            for y in self.inputs
            if y.mask is not None
            and y.mask.shape == mask.shape
            and _equal(np.sort(y.values, axis=1), ordered)
        ]
        if same:
            there = any(_equal(np.sort(y), padding) for y in same)
            self.unplaced |= not there
            return there
        return len(set(padding.flat)) == 1 and padding.flat[0] not in values[mask]

    def lost_for(self, frame: Frame, flat: list, spoilt: int | None) -> int | None:
        steps = [x for x in flat if self.steps.get(x) is not None]
        lost = self.lost_by(steps)  # a single step, such as a first state, needs no mask
        if lost is None and spoilt is None and all(get_mask(x) is None for x in flat):
            return frame.lost
        return spoilt if lost is None else lost


class Changed(Follower):
    """A run with another first sample: which entries of all tensors it changes."""

    def __init__(self, base: Base, keys: set[Key]):
        rows = [1, *range(1, len(base.inputs[0].values))]
        super().__init__(base.model, [x.rows(rows) for x in base.inputs])
        self.base, self.keys = base, keys
        self.sample_axes: dict[Key, tuple[int, ...]] = {}

    def met(self, frame, i, x) -> None:
        self.compare(key(frame, "given", i), x)

    def gave(self, frame, i, x, mask):
        self.compare(key(frame, "output", i), x)
        return x

    def compare(self, at: Key, x: Any) -> None:
        if at not in self.keys:
            return
        a, b = to_numpy(self.base.tensors[at].values), to_numpy(x)
        if a is not None and b is not None and a.shape == b.shape:
            changed = np.argwhere((a != b) & ((a == a) | (b == b)))  # nan is equal to nothing
            axes = [axis for axis, size in enumerate(a.shape) if size == len(self.inputs[0].values)]
            self.sample_axes[at] = _of_samples(changed, axes)


def _of_samples(changed: np.ndarray, axes: list[int]) -> tuple[int, ...]:
    """Of axes as long as the batch those in whose first entry all stands that the first sample has
    changed."""
    for axis in axes:
        if (changed[:, axis] == 0).all():
            return (axis,)
    for axis in axes:
        if ((changed[:, 0] == 0) | (changed[:, axis] == 0)).all():
            return (0, axis)
    return (0,)


def sample_axes(base: Base, structure: Any) -> dict[Key, tuple[int, ...]]:
    """Of tensors with another axis as long as the batch the axes that hold samples."""
    total = len(base.inputs[0].values)
    alike = {at for at, x in base.tensors.items() if total in tuple(x.values.shape)[1:]}
    if not alike or total == 1:
        return {}
    changed = Changed(base, alike)
    changed.start(structure)
    return changed.sample_axes


def is_attention(operation: keras.Operation) -> bool:
    """Whether the first input of a layer of Keras, or of one built on it, holds queries."""
    layers = keras.layers
    kinds = layers.Attention, layers.MultiHeadAttention, layers.GroupQueryAttention
    return isinstance(operation, kinds)


def strided(operation: keras.Operation) -> bool | None:
    """Whether a convolution or a pooling has a stride; None of anything else."""
    strides = getattr(operation, "strides", None) or getattr(operation, "pool_size", None)
    return None if strides is None else bool(np.max(strides) > 1)


def _equal(a: np.ndarray, b: np.ndarray | None) -> bool:
    if b is None or a.shape != b.shape:
        return False
    return bool(np.array_equal(a, b, equal_nan=a.dtype.kind == "f" and b.dtype.kind == "f"))
