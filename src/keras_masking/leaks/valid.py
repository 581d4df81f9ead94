"""Which entries of a tensor belong to valid steps, where the tensor itself may not say so.

Shapes are `(batch, ...)`. A mask is `(batch, time)`, or `(batch, outer, inner)` in a hierarchy.
Where several readings are possible, only what is valid by all of them counts, so that a right
model is never accused; a leak into the rest goes unseen at that call and shows at the next.
"""

from collections.abc import Mapping, Sequence
from types import MappingProxyType

import numpy as np

from keras_masking._keras import leading

MOST_BESIDE = 16  # steps that a convolution or other code adds to those of a sample


def touched(mask: np.ndarray, steps: int, strided: bool | None = None) -> np.ndarray | None:
    """As `along`, but steps of blocks and windows that hold any valid step are valid."""
    gone = along(~mask, steps, strided) if 0 < steps < mask.shape[1] else None
    return along(mask, steps, strided) if gone is None else ~gone


def along(mask: np.ndarray, steps: int, strided: bool | None = None) -> np.ndarray | None:
    """The mask of an axis with another number of steps; None where no reading fits.

    Fewer steps: blocks of a stride, or windows that start at each step, valid where all in them
    are. More: each step repeated, the whole repeated, or windows that reach beyond the ends, which
    all exist for a sample without padding.

    Args:
        strided: whether fewer steps come of a stride; None where that is not known.
    """
    batch, time = mask.shape
    if steps == time:
        return mask
    if steps == 0 or time == 0:
        return None
    if steps > time:
        if steps % time:
            wide = np.pad(mask, ((0, 0), (steps - time,) * 2))
            return _windows(wide, steps - time + 1) | mask.all(axis=1, keepdims=True)
        return np.logical_and(*repeated(mask, steps // time))
    stride = round(time / steps)
    windows = _windows(mask, time - steps + 1)
    if strided is False or stride < 2 or steps not in (time // stride, -(-time // stride)):
        return windows
    missing = max(0, steps * stride - time)
    blocks = np.pad(mask, ((0, 0), (0, missing)), constant_values=True)[:, : steps * stride]
    blocks = blocks.reshape(batch, steps, stride).all(axis=2)
    return blocks if strided else blocks & windows


def repeated(mask: np.ndarray, times: int) -> tuple[np.ndarray, np.ndarray]:
    """The mask of more steps: of each so many times, and of the whole so many times."""
    return np.repeat(mask, times, axis=1), np.tile(mask, (1, times))


def _windows(mask: np.ndarray, width: int) -> np.ndarray:
    return np.lib.stride_tricks.sliding_window_view(mask, width, axis=1).all(axis=2)


def time_axes(shape: Sequence[int], mask: np.ndarray) -> tuple[int, ...]:
    """The axes that may hold steps, judged by one shape alone."""
    time = mask.shape[1]
    exact = tuple(axis for axis in range(1, len(shape)) if shape[axis] == time)
    if len(shape) == 2:
        return exact
    if not exact and len(shape) > 2 and along(mask, shape[1]) is not None:
        return (1,)
    return exact


def changed_axes(shape: Sequence[int], longer: Sequence[int]) -> tuple[int, ...]:
    """The axes that hold steps, known from a run with more of them."""
    if len(shape) != len(longer):
        return ()
    return tuple(axis for axis in range(1, len(shape)) if shape[axis] != longer[axis])


def entries(
    shape: Sequence[int],
    mask: np.ndarray | None,
    axes: Sequence[int],
    rows: np.ndarray,
    exists: Mapping[int, np.ndarray] = MappingProxyType({}),
) -> np.ndarray:
    """Booleans in `shape`: which entries a leak would be seen in.

    Args:
        mask: of the steps; None where the tensor holds none.
        axes: those of `shape` that hold steps.
        rows: which samples count, `(batch,)`.
        exists: by axis, where that is known, which of its steps a sample has alone too.
    """
    if tuple(shape[:1]) != rows.shape:
        return np.zeros(shape, bool)
    found = np.broadcast_to(along_axes(rows, (0,), len(shape)), shape)
    for axis, steps in exists.items():
        found = found & along_axes(steps, (0, axis), len(shape))
    if mask is None:
        return found
    if mask.ndim > 2 and leading(shape, mask.shape):
        return found & along_axes(mask, range(mask.ndim), len(shape))
    for axis in axes:
        steps = along(flat(mask), shape[axis])
        if steps is not None and axis not in exists:
            found = found & along_axes(steps, (0, axis), len(shape))
    return found


def flat(mask: np.ndarray) -> np.ndarray:
    """A mask as `(batch, time)`: of a hierarchy, which outer steps hold anything."""
    return mask.any(axis=tuple(range(2, mask.ndim))) if mask.ndim > 2 else mask


def along_axes(values: np.ndarray, axes: Sequence[int], rank: int) -> np.ndarray:
    """Values of these axes, so that they broadcast to an array of that rank."""
    shape = [1] * rank
    for size, axis in zip(values.shape, axes, strict=True):
        shape[axis] = size
    return values.reshape(shape)
