"""Runs a model and keeps track of which steps of every tensor are valid."""

from collections.abc import Sequence
from dataclasses import replace
from typing import Any, Literal, NamedTuple

import keras
import numpy as np
from keras import tree

from keras_masking._keras import get_mask, is_tensor, leading, set_mask, sublayers, to_numpy
from keras_masking.attached import Attached
from keras_masking.leaks import probing, valid
from keras_masking.leaks.probing import Padded
from keras_masking.records import Call, Tensor
from keras_masking.tracing import Frame, Recorder, run, unchanged

# a tensor of a call, the same in every run: the place and the class of the call, what the tensor
# is to it, and its number
Key = tuple[tuple[int, ...], str, str, int]


def key(frame: Frame, role: Literal["given", "output"], i: int) -> Key:
    return frame.place, type(frame.operation).__name__, role, i


class Follower(Recorder):
    """A recorder that knows of every tensor which of its steps are valid."""

    def __init__(self, model: keras.Layer, inputs: list[Padded]):
        super().__init__(model)
        self.inputs = inputs
        self.steps = Attached()
        self.made: dict[int, np.ndarray] = {}
        self.makers: dict[int, str] = {}

    def start(self, structure: Any, state: Sequence = ()) -> None:
        arrays, masks = probing.pack(structure, self.inputs)
        with unchanged(self.model, state), self.running():
            run(self.model, arrays, masks)

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
        self.note_maker(row, flat)
        given = [self.steps.get(x) for x in flat]
        flat_outputs = tree.flatten(outputs)
        results = iter(row.outputs)
        for i, x in enumerate(flat_outputs):
            if is_tensor(x):
                result = next(results)
                # what a layer inside has made keeps the steps it has there
                mask = (
                    self.steps.get(x)
                    if x in self.steps
                    else self.steps_of(key(frame, "output", i), result, given)
                )
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

    def note_maker(self, row: Call, flat: list) -> None:
        """Which input of the model a layer made a mask from."""
        if "creates" not in row.events or not flat:
            return
        values = to_numpy(flat[0])
        for i, padded in enumerate(self.inputs):
            if _equal(padded.values, values):
                if i not in self.made and not padded.given:
                    self.made[i], self.makers[i] = row.mask, row.path
                    self.maker(i, row)
                return
        self.not_found(row)

    def maker(self, i: int, row: Call) -> None:
        """Told of the call that made the mask of an input."""

    def not_found(self, row: Call) -> None:
        """Told of a call that made a mask of something else than an input."""

    def of_stranger(self, x: Any) -> np.ndarray | None:
        """The steps of a tensor that no call has made: an input of the model, as it is or changed
        by code that Keras does not see."""
        masked = [padded for padded in self.inputs if padded.mask is not None]
        alike = [padded for padded in masked if leading(tuple(x.shape), padded.mask.shape)]
        if len(alike) > 1:
            values = to_numpy(x)
            alike = [padded for padded in alike if _equal(padded.values, values)] or alike
        return alike[0].mask if alike else None

    def axes(self, key: Key, shape: tuple, mask: np.ndarray) -> tuple[int, ...]:
        return valid.time_axes(shape, valid.flat(mask))

    def steps_of(self, key: Key, x: Tensor, given: list) -> np.ndarray | None:
        """The mask of the steps of an output: its own, or what becomes of those of the inputs."""
        known = [mask for mask in given if mask is not None]
        if x.mask is not None and leading(x.shape, x.mask.shape):
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
            return valid.along(mask, x.shape[1])
        return mask


class Scout(Follower):
    """Finds out which layer makes the mask of which input, and from which value."""

    def __init__(self, model: keras.Layer, inputs: list[Padded]):
        super().__init__(model, inputs)
        self.layers = {layer.name: layer for layer in [model, *sublayers(model)]}
        self.fills: dict[int, Any] = {}
        self.indirect: list[Call] = []

    def maker(self, i: int, row: Call) -> None:
        layer = self.layers.get(row.name)
        if isinstance(layer, keras.layers.Embedding):
            self.fills[i] = 0
        elif isinstance(layer, keras.layers.Masking):
            self.fills[i] = layer.mask_value

    def not_found(self, row: Call) -> None:
        self.indirect.append(row)

    def found(self) -> list[Padded]:
        found = [
            replace(padded, mask=self.made[i], fill=self.fills.get(i))
            if i in self.made
            else self.guess(padded)
            for i, padded in enumerate(self.inputs)
        ]
        return probing.share_masks(found)

    def guess(self, padded: Padded) -> Padded:
        """Where a mask is made from what becomes of an input, such as a slice of it."""
        if padded.mask is not None:
            return padded
        for row in self.indirect:
            if leading(padded.values.shape, row.mask.shape):
                return replace(padded, mask=row.mask)
            embeds = isinstance(self.layers.get(row.name), keras.layers.Embedding)
            if embeds and padded.values.ndim == row.mask.ndim and padded.values.dtype.kind in "iu":
                return replace(padded, mask=padded.values != 0, fill=0)
        return padded


class Seen(NamedTuple):
    """A tensor of the run on the batch as it is, and the mask of its steps if it has any."""

    values: Any
    mask: np.ndarray | None


class Base(Follower):
    """The run on the batch as it is, whose tensors the other runs are compared with.

    Attributes:
        tensors: what every call was given by no other call, and what it gave.
        known_axes: the axes that hold steps, once a run on a longer batch has shown them.
        lost_before: by row, the call that lost the mask of what this call was given, or that put
            one on it which counts padding as valid.
    """

    def __init__(self, model: keras.Layer, inputs: list[Padded]):
        super().__init__(model, inputs)
        self.tensors: dict[Key, Seen] = {}
        self.known_axes: dict[Key, tuple[int, ...]] = {}
        self.lost_before: dict[int | None, int | None] = {}
        self.spoilt = Attached()

    def met(self, frame, i, x) -> None:
        self.tensors[key(frame, "given", i)] = Seen(x, self.steps.get(x))

    def gave(self, frame, i, x, mask):
        self.tensors[key(frame, "output", i)] = Seen(x, mask)
        return x

    def passed_on(self, frame, row, flat, outputs):
        outputs = super().passed_on(frame, row, flat, outputs)
        if self.hidden:
            return outputs
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

    def lost_for(self, frame: Frame, flat: list, spoilt: int | None) -> int | None:
        steps = [x for x in flat if self.steps.get(x) is not None]
        lost = self.lost_by(steps)  # a single step, such as a first state, needs no mask
        if lost is None and spoilt is None and all(get_mask(x) is None for x in flat):
            return frame.lost
        return spoilt if lost is None else lost


def _equal(a: np.ndarray, b: np.ndarray | None) -> bool:
    return b is not None and a.shape == b.shape and bool(np.array_equal(a, b, equal_nan=True))
