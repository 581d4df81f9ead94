"""Named cases, checked by hand, that every backend runs.

Each is `(x, mask, axis, mean, sum)`. Sums and means are over the unmasked entries of `axis`; a
fully padded row gives 0.
"""

import numpy as np

nan, inf = np.nan, np.inf
EMPTY_BATCH = np.zeros((0, 3, 2))

CASES = {
    "no mask": ([[[1, 2], [3, 6]]], None, 1, [[2, 4]], [[4, 8]]),
    "padding on the right": (
        [[[1, 2], [3, 4], [9, 9]], [[5, 6], [9, 9], [9, 9]]],
        [[1, 1, 0], [1, 0, 0]],
        1,
        [[2, 3], [5, 6]],
        [[4, 6], [5, 6]],
    ),
    "padding on the left": (
        [[[9, 9], [1, 2], [3, 4]], [[9, 9], [9, 9], [5, 6]]],
        [[0, 1, 1], [0, 0, 1]],
        1,
        [[2, 3], [5, 6]],
        [[4, 6], [5, 6]],
    ),
    "padding in between": ([[[1], [9], [3], [9]]], [[1, 0, 1, 0]], 1, [[2]], [[4]]),
    "a fully padded row": ([[[1], [3]], [[9], [9]]], [[1, 1], [0, 0]], 1, [[2], [0]], [[4], [0]]),
    "nan and inf in padding": (
        [[[1], [3], [nan], [inf]], [[-inf], [5], [nan], [inf]]],
        [[1, 1, 0, 0], [0, 1, 0, 0]],
        1,
        [[2], [5]],
        [[4], [5]],
    ),
    "nan in padding of a fully padded row": ([[[nan], [inf]]], [[0, 0]], 1, [[0]], [[0]]),
    "nan in a valid step": (
        [[[1], [nan]], [[2], [4]]],
        [[1, 1], [1, 1]],
        1,
        [[nan], [3]],
        [[nan], [6]],
    ),
    "inf in a valid step": ([[[1], [inf], [nan]]], [[1, 1, 0]], 1, [[inf]], [[inf]]),
    "an empty batch": (EMPTY_BATCH, np.zeros((0, 3)), 1, np.zeros((0, 2)), np.zeros((0, 2))),
    "an empty time axis": (
        np.zeros((2, 0, 3)),
        np.zeros((2, 0)),
        1,
        np.zeros((2, 3)),
        np.zeros((2, 3)),
    ),
    "a flattened input": (
        [[1, 2, 9, 9], [3, 4, 5, 6]],
        [[1, 1, 0, 0], [1, 1, 1, 1]],
        1,
        [1.5, 4.5],
        [3, 18],
    ),
    "the time axis from the end": ([[[1], [3], [9]]], [[1, 1, 0]], -2, [[2]], [[4]]),
    "over the features": (
        [[[1, 3], [9, 9]]],
        [[1, 0]],
        2,
        [[2, 0]],
        [[4, 0]],
    ),
    "images as steps": (
        [[[[1, 2], [3, 4]], [[5, 6], [7, 8]], [[9, 9], [9, 9]]]],
        [[1, 1, 0]],
        1,
        [[[3, 4], [5, 6]]],
        [[[6, 8], [10, 12]]],
    ),
    "a mask over two time axes, the inner one": (
        [[[[1], [3], [9]], [[5], [9], [9]], [[9], [9], [9]]]],
        [[[1, 1, 0], [1, 0, 0], [0, 0, 0]]],
        2,
        [[[2], [5], [0]]],
        [[[4], [5], [0]]],
    ),
    "a mask over two time axes, the outer one": (
        [[[[1], [3]], [[5], [9]]]],
        [[[1, 1], [1, 0]]],
        1,
        [[[3], [3]]],
        [[[6], [3]]],
    ),
}
