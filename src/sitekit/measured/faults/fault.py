"""A known fault: two models, and what the tools must say of them."""

from collections.abc import Callable
from dataclasses import dataclass, field
from typing import Any, Literal

import keras
import numpy as np

Gap = tuple[str, str]
Probe = Literal["alone", "length", "content", "company"]

IDS = np.array([[3, 1, 4, 1, 5, 9], [2, 6, 5, 0, 0, 0], [3, 5, 0, 0, 0, 0]])
LEFT = IDS[:, ::-1].copy()
OTHER_IDS = np.array([[2, 7, 0, 0, 0], [1, 8, 2, 8, 1], [8, 2, 8, 0, 0]])
SENTENCES = np.array(
    [
        [[3, 1, 4, 1, 5], [9, 2, 0, 0, 0], [6, 5, 3, 5, 0]],
        [[8, 0, 0, 0, 0], [9, 7, 9, 0, 0], [3, 2, 0, 0, 0]],
    ]
)
VECTORS = np.random.default_rng(0).normal(size=(3, 6, 4)).astype("float32")
MASK = IDS != 0


@dataclass(frozen=True, eq=False)
class Fault:
    """
    Attributes:
        name: the key of its text in docs/shared/texts.toml.
        faulty, healthy: make the two models.
        leaks_at: the path of the first call whose valid steps padding changes, as in a trace.
        lost_at: the path of the call that loses the mask, or marks padding as valid; the paths
            around a gap; None where a right mask arrives and is ignored.
        probes: those that see it.
        inputs, mask: what both models are run on.
    """

    name: str
    faulty: Callable[[], keras.Model]
    healthy: Callable[[], keras.Model]
    leaks_at: str
    lost_at: str | Gap | None
    probes: tuple[Probe, ...] = ("alone", "length", "content")
    inputs: Any = field(default_factory=lambda: IDS)
    mask: Any = None

    def build(self, healthy: bool = False) -> keras.Model:
        """One of the two models, with the same names and weights each time."""
        # operations, such as `x * 2`, can only be named by Keras, which counts in a session
        keras.utils.clear_session(free_memory=False)
        keras.utils.set_random_seed(0)
        return self.healthy() if healthy else self.faulty()
