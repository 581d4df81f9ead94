"""Whether padding leaks into a model's results, found by brute force, without `find_leaks`.

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
from blocks import VOCABULARY
from keras import ops, tree
from recipes import RESULTS_SCALED, Batch, Recipe, build, other_weights

from keras_masking.leaks.computing import optimized

TOLERANCE = 1e-4
MORE = 12  # draws of other content


@dataclass
class Truth:
    """
    Attributes:
        recipe: of the model that was measured.
        leaks: whether padding changes a valid result.
        found: by measurement, the largest difference as a share of the largest valid result.
        missing: by measurement that could not be made, why.
        random: whether the model gives another result each time.
    """

    recipe: Recipe
    leaks: bool = False
    found: dict[str, float] = field(default_factory=dict)
    missing: dict[str, str] = field(default_factory=dict)
    random: bool = False

    @property
    def near(self) -> bool:
        """Whether rounding might be taken for a leak, or a leak for rounding."""
        results = [value for name, value in self.found.items() if name != "gradients"]
        largest = max(results, default=0.0)
        if largest <= TOLERANCE / 10:
            largest = self.found.get("gradients", 0.0)
        return TOLERANCE / 10 < largest < TOLERANCE * 10

    @property
    def shown_by(self) -> set[str]:
        """The measurements that show a leak."""
        return {name for name, value in self.found.items() if value > TOLERANCE}

    @property
    def word(self) -> str:
        if self.random:
            return "not measured"
        return "leaks" if self.leaks else "clear"


def truth(recipe: Recipe) -> Truth:
    """By the first measurement that shows a difference, or by all of them.

    Of a model that takes one length, also by what that length alone shows. Where the largest
    difference is near the tolerance, the same model is tried with other weights.
    """
    for _ in range(4):
        found = _Measured(recipe).truth
        if not found.near:
            break
        recipe = other_weights(recipe)
    return found


def hidden(recipe: Recipe) -> bool:
    """Whether padding changes what the last activation rounds to whole numbers or saturates."""
    twist = None if recipe.twist in ("above", "forbidden", "units") else recipe.twist
    bare = replace(recipe, activation=None, twist=twist)
    return bare != recipe and _Measured(bare).truth.leaks


class _Measured:
    def __init__(self, recipe: Recipe):
        self.recipe, self.truth = recipe, Truth(recipe)
        self.batch = Batch.of(recipe)
        self.model = build(recipe)
        self.run = Runner(self.model, recipe.twist)
        self.base = self.run(self.batch)
        if max(map(_differ, self.base, self.run.afresh(self.batch))) > TOLERANCE:
            self.truth.random = True
            return
        free = recipe.fixed and not recipe.rigid
        self.twin = build(recipe, free=True) if free else self.model
        self.run_twin = Runner(self.twin, recipe.twist) if free else self.run
        self.alone_twin = build(recipe, samples=1, free=True) if recipe.stateful else self.twin
        self.run_alone = Runner(self.alone_twin, recipe.twist) if recipe.stateful else self.run_twin
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
            for i in np.flatnonzero(self.batch.rows):
                for k, y in enumerate(self.base):
                    alone = y.shape
                    ndim = y.ndim + (self.recipe.activation == "argmax")  # which takes an axis
                    if self.recipe.output != "decoded" and ndim == 3:
                        alone = (1, self.batch.kept("main", i).sum(), *y.shape[2:])
                    self.valid[k][i] = self.places(i, y.shape, alone)
            raise Unmeasurable("the weights need this number of steps")
        for i in np.flatnonzero(self.batch.rows):
            for k, y in enumerate(self.run_alone(self.batch.alone(i))):
                self.valid[k][i] = self.places(i, self.base[k].shape, y.shape)
                yield self.distance(i, self.base[k][i][self.valid[k][i]], y[0])

    def places(self, i: int, batch: tuple, alone: tuple) -> tuple:
        """Where in a result of the batch that of the sample alone stands."""
        places = []
        for there, here in zip(batch[1:], alone[1:], strict=True):
            steps = np.arange(there)
            if there != here:
                rows = [self.batch.kept(name, i) for name in self.batch.valid]
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
        for steps in (1, self.recipe.steps):
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
        if self.truth.found.get("content", 0.0) <= TOLERANCE:
            # a maximum, or the direction of a vector, is moved by few
            for _ in range(MORE):
                yield from self.all_compared(self.batch.other_content(random, None))
                yield from self.with_other_row(random.choice((-1, 1)), random)

    def with_other_row(self, sign: int, random: np.random.Generator) -> Iterator[float]:
        """With other weights for the index that stands in padding alone."""
        for layer in self.model.layers:
            if getattr(layer, "input_dim", None) != VOCABULARY:
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
        rows = np.flatnonzero(self.batch.rows)
        if self.recipe.stateful:  # which takes one number of samples
            rows = np.where(self.batch.rows, np.arange(len(self.batch.rows)), rows[0])
        together = self.run.gradients(self.batch.of_rows(rows), [c[rows] for c in places])
        if not all(np.isfinite(g).all() for g in together):
            yield np.inf
            return
        large = self.recipe.twist == "samples"  # whose slopes are mostly rounding
        if self.recipe.rigid or self.recipe.stateful or large:
            return
        i = min(self.batch.rows.nonzero()[0], key=lambda i: self.batch.valid["main"][i].sum())
        of_one = [
            np.where((np.arange(len(c)) == i).reshape(-1, *[1] * (c.ndim - 1)), c, 0)
            for c in places
        ]
        counted = [c[i][self.valid[k][i]][None] for k, c in enumerate(places)]
        alone = self.run_twin.gradients(self.batch.alone(i), counted)
        scale = max([0.01, *(np.abs(g).max(initial=0) for g in alone)])
        # sums over samples and steps are taken in another order
        yield from (
            float(np.abs(a - b).max(initial=0) / scale / 10)
            for a, b in zip(
                self.run.gradients(self.batch.of_rows(rows), [c[rows] for c in of_one]),
                alone,
                strict=True,
            )
        )

    def all_compared(self, batch: Batch) -> Iterator[float]:
        for k, y in enumerate(self.run(batch)):
            yield from self.compared(k, y)

    def compared(self, k: int, y: np.ndarray, rows: Any = True) -> Iterator[float]:
        for i, place in self.valid[k].items():
            if np.broadcast_to(rows, len(y))[i]:
                yield self.distance(i, self.base[k][i][place], y[i][place])

    def distance(self, i: int, a: np.ndarray, b: np.ndarray) -> float:
        """The largest difference, each as a share of the largest valid value of its feature."""
        size = 1e4 if self.recipe.twist == "samples" and i == len(self.batch.rows) - 1 else 1.0
        found = 0.0
        for feature in range(a.shape[-1] if a.ndim else 1):
            x, y = (v[..., feature] if v.ndim else v for v in (a, b))
            scale = np.abs(x[np.isfinite(x)]).max(initial=0)
            found = max(found, _differ(x, y) / max(scale, 0.01 * size))  # less is rounding
        return float(found)


class Unmeasurable(Exception):
    """A measurement that this model does not allow."""


def _differ(a: np.ndarray, b: np.ndarray) -> float:
    a, b = a.astype("float64"), b.astype("float64")
    both = np.isfinite(a) & np.isfinite(b)
    if (np.isfinite(a) != np.isfinite(b)).any():
        return np.inf
    return float(np.abs(a[both] - b[both]).max(initial=0.0))


class Runner:
    """Runs a model, always from the same state.

    On JAX each shape is compiled as a whole, since every loop would be compiled in every call.
    """

    def __init__(self, model: keras.Model, twist: str | None):
        self.model, self.twist = model, twist
        self.state = [ops.copy(v.value) for v in model.non_trainable_variables]
        if keras.backend.backend() == "jax":
            import jax

            self.compiled = jax.jit(self.stateless)
            self.compiled_gradients = jax.jit(jax.grad(self.total))

    def __call__(self, batch: Batch) -> list[np.ndarray]:
        self.reset()
        if keras.backend.backend() == "jax":
            return _arrays(self.compiled(self.weights, self.state, batch.packed, batch.mask))
        return _arrays(self.called(batch))

    def gradients(self, batch: Batch, counted: list) -> list[np.ndarray]:
        """Of the sum of all results times `counted`, for the trainable weights."""
        self.reset()
        if keras.backend.backend() == "jax":
            arguments = self.weights, self.state, batch.packed, batch.mask, counted
            with optimized():
                return _arrays(self.compiled_gradients(*arguments))
        if keras.backend.backend() == "torch":
            import torch

            total = _total(self.called(batch), counted)
            return _arrays(torch.autograd.grad(total, self.weights, materialize_grads=True))
        import tensorflow as tf

        with tf.GradientTape() as tape:
            total = _total(self.called(batch), counted)
        found = tape.gradient(total, self.weights, unconnected_gradients="zero")
        return [tf.convert_to_tensor(each).numpy() for each in found]

    @property
    def weights(self) -> list:
        return [v.value for v in self.model.trainable_variables]

    def reset(self) -> None:
        for layer in self.model.layers:
            if getattr(layer, "stateful", False):
                layer.reset_states()  # which no list of variables holds
        for v, value in zip(self.model.non_trainable_variables, self.state, strict=True):
            v.assign(value)

    def called(self, batch: Batch) -> Any:
        inputs = tree.map_structure(ops.convert_to_tensor, batch.packed)
        return self.told_apart(self.model(inputs, **_options(batch.mask)))

    def stateless(self, weights, state, inputs, mask) -> Any:
        results, _ = self.model.stateless_call(weights, state, inputs, **_options(mask))
        return self.told_apart(results)

    def told_apart(self, results: Any) -> Any:
        """Results of one size, and of each sample by itself."""
        if self.twist == "columns":
            return tree.map_structure(
                lambda y: ops.divide(y, RESULTS_SCALED.astype("float32")), results
            )
        if self.twist == "scores":
            return tree.map_structure(lambda y: ops.diagonal(y)[:, None], results)
        return results

    def total(self, weights, state, inputs, mask, counted) -> Any:
        return _total(self.stateless(weights, state, inputs, mask), counted)

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


def _options(mask: Any) -> dict:
    return {} if mask is None else {"mask": mask}


def _total(results: Any, counted: list) -> Any:
    return sum(
        ops.sum(ops.multiply(y, c))
        for y, c in zip(tree.flatten(results), counted, strict=True)
        if "float" in keras.backend.standardize_dtype(y.dtype)
    )


def _arrays(results: Any) -> list[np.ndarray]:
    return [np.asarray(ops.convert_to_numpy(y)) for y in tree.flatten(results)]
