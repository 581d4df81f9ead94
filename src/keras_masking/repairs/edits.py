"""What is done to a model: another layer in the place of one, or more around a call."""

from __future__ import annotations

import functools
from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

import keras

Made = Callable[[keras.Operation], keras.Operation]
Around = Callable[..., Any]


@dataclass(frozen=True, eq=False)
class Edit:
    """
    Attributes:
        operation: of the model that was given.
        path, before, after, why, code_of: as in `Change`.
        made: makes what takes the place of the operation.
        around: is called with the operation of the copy and its arguments, in place of it.
        set: is called with the layer of the copy, and says what its class does not say of masks.
        number: which call of the operation it is around, counted from 0 in the graph.
        of_input: the number of an input of the model that `around` is given after the operation.
    """

    operation: keras.Operation
    path: str
    before: str
    after: str
    why: str
    code_of: str = ""
    made: Made | None = None
    around: Around | None = None
    set: Callable[[keras.Layer], None] | None = None
    number: int = 0
    of_input: int | None = None

    @property
    def same_as(self) -> tuple:
        """Equal for edits that do the same."""
        does = self.made or self.around or self.set
        return id(self.operation), self.number, self.after, getattr(does, "__qualname__", "")

    def overlaps(self, other: Edit) -> bool:
        """Whether both change the same call, or all calls of the same operation."""
        same = self.operation is other.operation
        return same and (bool(self.made or other.made) or self.number == other.number)

    def wrapped(self, call: Callable, inputs: list) -> Callable:
        """What is called in the place of an operation of the copy, whose inputs are given."""
        more = () if self.of_input is None else (inputs[self.of_input],)
        return functools.partial(self.around, call, *more)
