"""Whether padding leaks into a model's results, found by brute force and without the package.

A sample means the same alone and without its padding as in its batch. `truth` runs it both ways,
then with more padding, with other values in the padding and beside shorter samples, and compares
results and the gradients of the weights. It knows from the recipe what `find_leaks` has to find
out: which steps are padding, and how to make the same model for another number of steps.
"""

from collections.abc import Iterator
from dataclasses import dataclass, field, replace
from typing import Any

import keras
import numpy as np
from keras import ops, tree
from recipes import Batch, Recipe, build, other_weights

TOLERANCE = 1e-4


@dataclass
class Truth:
    """
    Attributes:
        leaks: whether padding changes a valid result.
        hidden: whether it would, were the results not rounded to whole numbers.
        found: by measurement, the largest difference as a share of the largest valid result.
        missing: by measurement that could not be made, why.
        random: whether the model gives another result each time.
    """

    leaks: bool = False
    hidden: bool = False
    found: dict[str, float] = field(default_factory=dict)
    missing: dict[str, str] = field(default_factory=dict)
    random: bool = False

    @property
    def word(self) -> str:
        if self.random:
            return "not measured"
        return "leaks" if self.leaks else "clear"


def truth(recipe: Recipe) -> Truth:
    """By the first measurement that shows a difference, or by all of them.

    What a model of one length shows at that length is measured in any case. Where the largest difference is near the tolerance, other weights decide.
    """
    found = _Measured(recipe).truth
    largest = max(found.found.values(), default=0.0)
    if TOLERANCE / 10 < largest < TOLERANCE * 10:
        found = _Measured(other_weights(recipe)).truth
    if recipe.activation == "argmax" and not found.leaks:
        found.hidden = _Measured(replace(recipe, activation=None)).truth.leaks
    return found


class _Measured:
    def __init__(self, recipe: Recipe):
        self.recipe, self.truth = recipe, Truth()
        self.batch = Batch.of(recipe)
        self.model = build(recipe)
        self.run = Runner(self.model)
        self.base = self.run(self.batch)
        if max(map(_differ, self.base, self.run.afresh(self.batch))) > TOLERANCE:
            self.truth.random = True
            return
        free = recipe.fixed and not recipe.rigid
        self.twin = build(recipe, free=True) if free else self.model
        self.run_twin = Runner(self.twin) if free else self.run
        self.alone_twin = build(recipe, samples=1, free=True) if recipe.stateful else self.twin
        self.run_alone = Runner(self.alone_twin) if recipe.stateful else self.run_twin
        self.valid: list[dict[int, np.ndarray]] = [{} for _ in self.base]
        for name in ("alone", "content", "company", "longer", "gradients"):
            try:
                for difference in getattr(self, name)():
                    known = self.truth.found.get(name, 0.0)
                    self.truth.found[name] = max(known, difference)
            except Unmeasurable as error:
                self.truth.missing[name] = str(error)
            if self.truth.found.get(name, 0.0) > TOLERANCE:
                self.truth.leaks = True
            if self.truth.leaks and (name != "alone" or not recipe.fixed):
                return

    def alone(self) -> Iterator[float]:
        if self.recipe.rigid:
            for k, y in enumerate(self.base):
                self.valid[k] = {i: _everything(y) for i in np.flatnonzero(self.batch.rows)}
            raise Unmeasurable("the weights need this number of steps")
        for i in np.flatnonzero(self.batch.rows):
            for k, y in enumerate(self.run_alone(self.batch.alone(i))):
                self.valid[k][i] = self.places(i, self.base[k].shape, y.shape)
                yield self.distance(k, self.base[k][i][self.valid[k][i]], y[0])

    def places(self, i: int, batch: tuple, alone: tuple) -> tuple:
        """Where in a result of the batch that of the sample alone stands."""
        places = []
        for there, here in zip(batch[1:], alone[1:], strict=True):
            steps = np.arange(there)
            if there != here:
                rows = [each[i] for each in self.batch.valid.values()]
                fitting = [row for row in rows if (len(row), row.sum()) == (there, here)]
                if self.recipe.side == "between" and not fitting:
                    raise Unmeasurable("steps in between that are not those of the input")
                if fitting:
                    steps = np.flatnonzero(fitting[0])
                else:
                    steps = steps[there - here :] if self.recipe.side == "left" else steps[:here]
            places.append(steps)
        return np.ix_(*places)

    def longer(self) -> Iterator[float]:
        if self.recipe.rigid or self.recipe.has(table="short"):
            raise Unmeasurable("the weights need this number of steps")
        for steps in (1, 3, self.recipe.steps):
            for k, y in enumerate(self.run_twin(self.batch.longer(steps))):
                base = self.base[k]
                left = self.recipe.side == "left"
                cut = tuple(
                    slice(m - n, m) if left else slice(n)
                    for n, m in zip(base.shape[1:], y.shape[1:], strict=True)
                )
                yield from self.compared(k, y[(slice(None), *cut)])

    def content(self) -> Iterator[float]:
        random = np.random.default_rng(0)
        for sign in (1, -1):
            yield from self.all_compared(self.batch.other_content(random, sign))
            yield from self.with_other_row(sign, random)

    def with_other_row(self, sign: int, random: np.random.Generator) -> Iterator[float]:
        """With other weights for the index that stands in padding alone."""
        for layer in self.model.layers:
            if layer.name not in ("words", "others"):
                continue
            weights = layer.embeddings
            before = ops.convert_to_numpy(weights).copy()
            after = before.copy()
            after[0] = sign * random.uniform(3, 9, after[0].shape)
            weights.assign(after)
            yield from self.all_compared(self.batch)
            weights.assign(before)

    def company(self) -> Iterator[float]:
        for half in (0, 1):
            others = np.arange(len(self.batch.rows)) % 2 == half
            results = self.run(self.batch.shortened(others))
            for k, y in enumerate(results):
                yield from self.compared(k, y, ~others)

    def gradients(self) -> Iterator[float]:
        if keras.backend.backend() == "numpy":
            raise Unmeasurable("numpy has no gradients")
        if not any(y.dtype.kind == "f" for y in self.base):
            raise Unmeasurable("whole numbers have no gradients")
        places = []
        for k, y in enumerate(self.base):
            counted = np.zeros(y.shape, "float32")
            if y.dtype.kind == "f":
                for i, place in self.valid[k].items():
                    random = np.random.default_rng(k)
                    shape = counted[i][place].shape
                    counted[i][place] = random.normal(size=(20,) * len(shape))[
                        tuple(map(slice, shape))
                    ]
            places.append(counted)
        together = gradients(self.model, self.batch, places)
        if not all(np.isfinite(g).all() for g in together):
            yield np.inf
            return
        if self.recipe.rigid or self.recipe.stateful:
            return
        total = [np.zeros_like(g) for g in together]
        for i in np.flatnonzero(self.batch.rows):
            counted = [c[i][self.valid[k][i]][None] for k, c in enumerate(places)]
            for sum_, g in zip(
                total, gradients(self.twin, self.batch.alone(i), counted), strict=True
            ):
                sum_ += g
        scale = max((np.abs(g).max(initial=0) for g in total), default=0.0) or 1.0
        # sums over samples and steps are taken in another order
        yield from (
            float(np.abs(a - b).max(initial=0)) / scale / 10
            for a, b in zip(together, total, strict=True)
        )

    def all_compared(self, batch: Batch) -> Iterator[float]:
        for k, y in enumerate(self.run(batch)):
            yield from self.compared(k, y)

    def compared(self, k: int, y: np.ndarray, rows: Any = True) -> Iterator[float]:
        for i, place in self.valid[k].items():
            if np.broadcast_to(rows, len(y))[i]:
                yield self.distance(k, self.base[k][i][place], y[i][place])

    def distance(self, k: int, a: np.ndarray, b: np.ndarray) -> float:
        valid = [self.base[k][i][place] for i, place in self.valid[k].items()]
        scale = max(float(np.abs(v[np.isfinite(v)]).max(initial=0)) for v in valid)
        return _differ(a, b) / max(scale, 0.01)  # less than that is rounding


class Unmeasurable(Exception):
    """A measurement that this model does not allow."""


def _everything(y: np.ndarray) -> tuple:
    return np.ix_(*(np.arange(n) for n in y.shape[1:]))


def _differ(a: np.ndarray, b: np.ndarray) -> float:
    a, b = a.astype("float64"), b.astype("float64")
    both = np.isfinite(a) & np.isfinite(b)
    if (np.isfinite(a) != np.isfinite(b)).any():
        return np.inf
    return float(np.abs(a[both] - b[both]).max(initial=0.0))


class Runner:
    """Runs a model, always from the same state."""

    def __init__(self, model: keras.Model):
        self.model = model
        self.state = [ops.copy(v.value) for v in model.non_trainable_variables]
        self.compiled = None

    def __call__(self, batch: Batch) -> list[np.ndarray]:
        forget(self.model)
        if keras.backend.backend() == "jax":
            return self.on_jax(batch)
        for v, value in zip(self.model.non_trainable_variables, self.state, strict=True):
            v.assign(value)
        return _arrays(_called(self.model, batch))

    def afresh(self, batch: Batch) -> list[np.ndarray]:
        """With other seeds."""
        state = self.state
        self.state = [
            value + 1 if "seed_generator" in v.path else value
            for v, value in zip(self.model.non_trainable_variables, state, strict=True)
        ]
        results = self(batch)
        self.state = state
        return results

    def on_jax(self, batch: Batch) -> list[np.ndarray]:
        """Compiled as a whole: every loop would be compiled anew in each call."""
        import jax

        if self.compiled is None:
            self.compiled = jax.jit(
                lambda weights, state, x, mask: self.model.stateless_call(
                    weights, state, x, **({} if mask is None else {"mask": mask})
                )[0]
            )
        weights = [v.value for v in self.model.trainable_variables]
        return _arrays(self.compiled(weights, self.state, batch.packed, batch.mask))


def forget(model: keras.Model) -> None:
    """Set the states of stateful layers back, which no list of variables holds."""
    for layer in model.layers:
        if getattr(layer, "stateful", False):
            layer.reset_states()


def _called(model: keras.Model, batch: Batch) -> Any:
    inputs = tree.map_structure(ops.convert_to_tensor, batch.packed)
    return model(inputs, **({} if batch.mask is None else {"mask": batch.mask}))


def _arrays(results: Any) -> list[np.ndarray]:
    return [np.asarray(ops.convert_to_numpy(y)) for y in tree.flatten(results)]


def gradients(model: keras.Model, batch: Batch, counted: list) -> list[np.ndarray]:
    """Of the sum of all results times `counted`, for the trainable weights."""

    def total(results):
        return sum(
            ops.sum(y * c)
            for y, c in zip(tree.flatten(results), counted, strict=True)
            if "float" in keras.backend.standardize_dtype(y.dtype)
        )

    forget(model)
    if keras.backend.backend() == "jax":
        import jax

        state = [v.value for v in model.non_trainable_variables]
        options = {} if batch.mask is None else {"mask": batch.mask}
        of = jax.jit(
            jax.grad(
                lambda weights: ops.cast(
                    total(model.stateless_call(weights, state, batch.packed, **options)[0]),
                    "float32",
                )
            )
        )
        return _arrays(of([v.value for v in model.trainable_variables]))
    import tensorflow as tf

    with tf.GradientTape() as tape:
        value = ops.cast(total(_called(model, batch)), "float32")
    weights = [v.value for v in model.trainable_variables]
    found = tape.gradient(value, weights, unconnected_gradients="zero")
    return [tf.convert_to_tensor(g).numpy() for g in found]
