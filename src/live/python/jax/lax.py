"""Stands in for jax.lax: what Keras's numpy backend computes through it, computed by numpy.

Each function takes the arguments that Keras passes, and gives what the one of JAX gives.
"""

from math import prod
from typing import NamedTuple

import numpy as np
from numpy.lib.stride_tricks import sliding_window_view

add, max = np.add, np.maximum


class ConvDimensionNumbers(NamedTuple):
    """Where the axes are: batch, features, then space; of a kernel outputs, inputs, then space."""

    lhs_spec: tuple[int, ...]
    rhs_spec: tuple[int, ...]
    out_spec: tuple[int, ...]


def reduce_window(
    operand, init_value, computation, window_dimensions, window_strides, padding: str
):
    """Each window of `operand` reduced by `computation`, a ufunc."""
    pads = _pads(padding, operand.shape, window_dimensions, window_strides)
    padded = np.pad(operand, pads, constant_values=init_value)
    windows = _windows(padded, window_dimensions, window_strides)
    axes = tuple(range(operand.ndim, windows.ndim))
    return computation.reduce(windows, axis=axes)


def conv_general_dilated(
    lhs,
    rhs,
    window_strides,
    padding,
    lhs_dilation=None,
    rhs_dilation=None,
    dimension_numbers=None,
    feature_group_count=1,
):
    """`lhs` convolved with the kernel `rhs`; `padding` is a name, or a pair for each axis."""
    x = np.transpose(lhs, dimension_numbers.lhs_spec)
    kernel = _spread(np.transpose(rhs, dimension_numbers.rhs_spec), rhs_dilation)
    x = _spread(x, lhs_dilation)
    space, sizes = x.shape[2:], kernel.shape[2:]
    if isinstance(padding, str):
        padding = _pads(padding, space, sizes, window_strides)
    # a negative pad takes steps away
    cut = tuple(
        slice(-min(low, 0), size + min(high, 0))
        for (low, high), size in zip(padding, space, strict=True)
    )
    pads = [(np.maximum(low, 0), np.maximum(high, 0)) for low, high in padding]
    x = np.pad(x[(..., *cut)], [(0, 0), (0, 0), *pads])
    windows = _windows(x, (1, 1, *sizes), (1, 1, *window_strides))
    batch, out_space = len(x), windows.shape[2 : x.ndim]
    outputs, inputs, groups = len(kernel), kernel.shape[1], feature_group_count
    # (batch, groups, space, inputs and window) · (groups, inputs and window, outputs)
    windows = windows.reshape(batch, groups, inputs, *out_space, prod(sizes))
    windows = np.moveaxis(windows, 2, -2)
    windows = windows.reshape(batch, groups, prod(out_space), inputs * prod(sizes))
    weights = kernel.reshape(groups, outputs // groups, -1).swapaxes(1, 2)
    out = (windows @ weights).swapaxes(2, 3).reshape(batch, outputs, *out_space)
    return np.transpose(out, np.argsort(dimension_numbers.out_spec))


def conv_transpose(
    lhs, rhs, strides, padding, rhs_dilation=None, dimension_numbers=None, transpose_kernel=False
):
    """The gradient of a convolution with `rhs`: it spreads `lhs`, and convolves backwards.

    Raises:
        NotImplementedError: `transpose_kernel` is false; Keras sets it.
    """
    if not transpose_kernel:
        raise NotImplementedError("conv_transpose is here with transpose_kernel=True alone")
    outputs, inputs, *space = dimension_numbers.rhs_spec
    rhs = np.flip(rhs, space).swapaxes(outputs, inputs)
    ones = (1,) * len(space)
    return conv_general_dilated(lhs, rhs, ones, padding, strides, rhs_dilation, dimension_numbers)


def _spread(x, dilation):
    """`x` with zeros between the steps of its axes in space, which come after the first two."""
    if dilation is None:
        return x
    sizes = zip(x.shape[2:], dilation, strict=True)
    space = [(size - 1) * step + 1 if size else 0 for size, step in sizes]
    out = np.zeros((*x.shape[:2], *space), x.dtype)
    out[(..., *(slice(None, None, step) for step in dilation))] = x
    return out


def _windows(x, sizes, strides):
    """The windows of `x`, their axes after its own; none along an axis that one does not fit in."""
    if any(size > length for size, length in zip(sizes, x.shape, strict=True)):
        fitting = [
            np.maximum(0, (length - size) // step + 1)
            for length, size, step in zip(x.shape, sizes, strides, strict=True)
        ]
        return np.zeros((*fitting, *sizes), x.dtype)
    return sliding_window_view(x, sizes)[tuple(slice(None, None, step) for step in strides)]


def _pads(padding: str, lengths, sizes, strides) -> list[tuple[int, int]]:
    if padding.upper() == "VALID":
        return [(0, 0)] * len(lengths)
    pads = []
    for length, size, step in zip(lengths, sizes, strides, strict=True):
        steps = -(-length // step)
        total = np.maximum((steps - 1) * step + size - length, 0)
        pads.append((total // 2, total - total // 2))
    return pads
