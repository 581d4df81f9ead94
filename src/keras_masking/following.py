"""Runs a model and keeps track of which steps of every tensor are valid."""

from collections.abc import Sequence
from dataclasses import replace
from typing import Any, Literal, NamedTuple

import keras
import numpy as np
from keras import tree

from keras_masking import probing, valid
from keras_masking._keras import get_mask, is_tensor, leading, set_mask, sublayers, to_numpy
from keras_masking.attached import Attached
from keras_masking.probing import Padded
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
                self.steps[x] = self.by_shape(x)
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
                mask = self.steps_of(key(frame, "output", i), next(results), given)
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
            if i not in self.made and not padded.given and _equal(padded.values, values):
                self.made[i], self.makers[i] = row.mask, row.path
                self.maker(i, row)

    def maker(self, i: int, row: Call) -> None:
        """Told of the call that made the mask of an input."""

    def by_shape(self, x: Any) -> np.ndarray | None:
        masks = [padded.mask for padded in self.inputs if padded.mask is not None]
        return next((mask for mask in masks if leading(tuple(x.shape), mask.shape)), None)

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

    def maker(self, i: int, row: Call) -> None:
        layer = self.layers.get(row.name)
        if isinstance(layer, keras.layers.Embedding):
            self.fills[i] = 0
        elif isinstance(layer, keras.layers.Masking):
            self.fills[i] = layer.mask_value

    def found(self) -> list[Padded]:
        return probing.share_masks(
            [
                replace(padded, mask=self.made[i], fill=self.fills.get(i))
                if i in self.made
                else padded
                for i, padded in enumerate(self.inputs)
            ]
        )


class Seen(NamedTuple):
    """A tensor of the run on the batch as it is, and the mask of its steps if it has any."""

    values: Any
    mask: np.ndarray | None


class Base(Follower):
    """The run on the batch as it is, whose tensors the other runs are compared with."""

    def __init__(self, model: keras.Layer, inputs: list[Padded]):
        super().__init__(model, inputs)
        self.tensors: dict[Key, Seen] = {}
        self.lost_before: dict[int | None, int | None] = {}
        self.known_axes: dict[Key, tuple[int, ...]] = {}

    def met(self, frame, i, x) -> None:
        self.tensors[key(frame, "given", i)] = Seen(x, self.steps.get(x))

    def gave(self, frame, i, x, mask):
        self.lost_before[frame.row] = frame.lost
        self.tensors[key(frame, "output", i)] = Seen(x, mask)
        return x


def _equal(a: np.ndarray, b: np.ndarray | None) -> bool:
    return b is not None and a.shape == b.shape and bool(np.array_equal(a, b, equal_nan=True))
