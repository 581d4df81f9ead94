"""Named cases, checked by hand, that every layer that summarizes an axis runs on every backend."""

from typing import Any, NamedTuple

import numpy as np

nan, inf = np.nan, np.inf


class Case(NamedTuple):
    """What each layer gives for the unmasked entries of `axis`; a fully padded row gives 0."""

    x: Any
    mask: Any
    mean: Any
    sum: Any
    max: Any
    min: Any
    std: Any
    first: Any
    last: Any
    axis: int = 1


def nothing(*shape):
    """Of an axis without entries, or of a batch without samples."""
    return dict.fromkeys(("mean", "sum", "max", "min", "std", "first", "last"), np.zeros(shape))


CASES = {
    "no mask": Case(
        [[[1, 2], [3, 6]]],
        None,
        mean=[[2, 4]],
        sum=[[4, 8]],
        max=[[3, 6]],
        min=[[1, 2]],
        std=[[1, 2]],
        first=[[1, 2]],
        last=[[3, 6]],
    ),
    "padding on the right": Case(
        [[[1, 2], [3, 4], [9, 9]], [[5, 6], [9, 9], [9, 9]]],
        [[1, 1, 0], [1, 0, 0]],
        mean=[[2, 3], [5, 6]],
        sum=[[4, 6], [5, 6]],
        max=[[3, 4], [5, 6]],
        min=[[1, 2], [5, 6]],
        std=[[1, 1], [0, 0]],
        first=[[1, 2], [5, 6]],
        last=[[3, 4], [5, 6]],
    ),
    "padding on the left": Case(
        [[[-9, 9], [3, 2], [1, 4]], [[-9, 9], [9, -9], [-5, 6]]],
        [[0, 1, 1], [0, 0, 1]],
        mean=[[2, 3], [-5, 6]],
        sum=[[4, 6], [-5, 6]],
        max=[[3, 4], [-5, 6]],
        min=[[1, 2], [-5, 6]],
        std=[[1, 1], [0, 0]],
        first=[[3, 2], [-5, 6]],
        last=[[1, 4], [-5, 6]],
    ),
    "padding in between": Case(
        [[[-1], [9], [-3], [9]]],
        [[1, 0, 1, 0]],
        mean=[[-2]],
        sum=[[-4]],
        max=[[-1]],
        min=[[-3]],
        std=[[1]],
        first=[[-1]],
        last=[[-3]],
    ),
    "a fully padded row": Case(
        [[[1], [3]], [[9], [9]]],
        [[1, 1], [0, 0]],
        mean=[[2], [0]],
        sum=[[4], [0]],
        max=[[3], [0]],
        min=[[1], [0]],
        std=[[1], [0]],
        first=[[1], [0]],
        last=[[3], [0]],
    ),
    "nan and inf in padding": Case(
        [[[1], [3], [nan], [inf]], [[-inf], [5], [nan], [inf]]],
        [[1, 1, 0, 0], [0, 1, 0, 0]],
        mean=[[2], [5]],
        sum=[[4], [5]],
        max=[[3], [5]],
        min=[[1], [5]],
        std=[[1], [0]],
        first=[[1], [5]],
        last=[[3], [5]],
    ),
    "nan in padding of a fully padded row": Case([[[nan], [inf]]], [[0, 0]], **nothing(1, 1)),
    "nan in a valid step": Case(
        [[[1], [nan]], [[2], [4]]],
        [[1, 1], [1, 1]],
        mean=[[nan], [3]],
        sum=[[nan], [6]],
        max=[[nan], [4]],
        min=[[nan], [2]],
        std=[[nan], [1]],
        first=[[1], [2]],
        last=[[nan], [4]],
    ),
    "inf in a valid step": Case(
        [[[1], [inf], [nan]]],
        [[1, 1, 0]],
        mean=[[inf]],
        sum=[[inf]],
        max=[[inf]],
        min=[[1]],
        std=[[nan]],
        first=[[1]],
        last=[[inf]],
    ),
    "only inf in valid steps": Case(
        [[[-inf], [nan]], [[inf], [nan]]],
        [[1, 0], [1, 0]],
        mean=[[-inf], [inf]],
        sum=[[-inf], [inf]],
        max=[[-inf], [inf]],
        min=[[-inf], [inf]],
        std=[[nan], [nan]],
        first=[[-inf], [inf]],
        last=[[-inf], [inf]],
    ),
    "an empty batch": Case(np.zeros((0, 3, 2)), np.zeros((0, 3)), **nothing(0, 2)),
    "an empty time axis": Case(np.zeros((2, 0, 3)), np.zeros((2, 0)), **nothing(2, 3)),
    "a flattened input": Case(
        [[1, 2, 9, 9], [3, 4, 3, 6]],
        [[1, 1, 0, 0], [1, 1, 1, 1]],
        mean=[1.5, 4],
        sum=[3, 16],
        max=[2, 6],
        min=[1, 3],
        std=[0.5, 1.5**0.5],
        first=[1, 3],
        last=[2, 6],
    ),
    "the time axis from the end": Case(
        [[[1], [3], [9]]],
        [[1, 1, 0]],
        axis=-2,
        mean=[[2]],
        sum=[[4]],
        max=[[3]],
        min=[[1]],
        std=[[1]],
        first=[[1]],
        last=[[3]],
    ),
    "over the features": Case(
        [[[1, 3], [9, 9]]],
        [[1, 0]],
        axis=2,
        mean=[[2, 0]],
        sum=[[4, 0]],
        max=[[3, 0]],
        min=[[1, 0]],
        std=[[1, 0]],
        first=[[1, 0]],
        last=[[3, 0]],
    ),
    "images as steps": Case(
        [[[[1, 2], [3, 4]], [[5, 6], [7, 8]], [[9, 9], [9, 9]]]],
        [[1, 1, 0]],
        mean=[[[3, 4], [5, 6]]],
        sum=[[[6, 8], [10, 12]]],
        max=[[[5, 6], [7, 8]]],
        min=[[[1, 2], [3, 4]]],
        std=[[[2, 2], [2, 2]]],
        first=[[[1, 2], [3, 4]]],
        last=[[[5, 6], [7, 8]]],
    ),
    "a mask over two time axes, the inner one": Case(
        [[[[1], [3], [9]], [[5], [9], [9]], [[9], [9], [9]]]],
        [[[1, 1, 0], [1, 0, 0], [0, 0, 0]]],
        axis=2,
        mean=[[[2], [5], [0]]],
        sum=[[[4], [5], [0]]],
        max=[[[3], [5], [0]]],
        min=[[[1], [5], [0]]],
        std=[[[1], [0], [0]]],
        first=[[[1], [5], [0]]],
        last=[[[3], [5], [0]]],
    ),
    "a mask over two time axes, the outer one": Case(
        [[[[1], [3]], [[5], [9]]]],
        [[[1, 1], [1, 0]]],
        axis=1,
        mean=[[[3], [3]]],
        sum=[[[6], [3]]],
        max=[[[5], [3]]],
        min=[[[1], [3]]],
        std=[[[2], [0]]],
        first=[[[1], [3]]],
        last=[[[5], [3]]],
    ),
}
