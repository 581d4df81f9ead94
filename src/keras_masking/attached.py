"""Notes about tensors that do not keep the tensors alive."""

import weakref
from collections.abc import Callable
from functools import partial
from typing import Any


class Attached:
    """A mapping from tensors to notes, by identity. A note goes when its tensor goes."""

    def __init__(self):
        self._notes: dict[int, tuple[Callable[[], Any], Any]] = {}

    def __setitem__(self, tensor: Any, note: Any) -> None:
        try:
            reference = weakref.ref(tensor)
        except TypeError:  # a number of numpy's, which is small enough to be kept
            reference = partial(_itself, tensor)
        self._notes[id(tensor)] = reference, note

    def __contains__(self, tensor: Any) -> bool:
        # the number of a tensor that has gone may belong to another one by now
        reference, _ = self._notes.get(id(tensor), (None, None))
        return reference is not None and reference() is tensor

    def get(self, tensor: Any, default: Any = None) -> Any:
        return self._notes[id(tensor)][1] if tensor in self else default


def _itself(tensor: Any) -> Any:
    return tensor
