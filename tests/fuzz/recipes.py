"""Random Keras models fed padded batches.

A model is drawn as a `Recipe`: plain data that prints, so that a seed or a pasted line makes it
again. `build` makes the model of a recipe, `Batch` holds what it is fed and which steps are
padding. Half of the recipes are drawn with care, from options that respect a mask, and half
without; whether padding leaks is for `truth` to find out.
"""

from collections.abc import Callable
from dataclasses import dataclass, replace
from typing import Any, NamedTuple

import keras
import numpy as np
from blocks import (
    CAREFUL,
    CHAIN,
    ENCODERS,
    MOVES_STEPS,
    NEEDS,
    OPTIONS,
    POOLS,
    STEPS,
    VOCABULARY,
    WIDTH,
    Flow,
    Parts,
)


class Block(NamedTuple):
    """A function of `blocks` and its arguments."""

    name: str
    options: dict[str, Any]

    def __repr__(self):
        return f"{self.name}({', '.join(f'{k}={v!r}' for k, v in self.options.items())})"


class Input(NamedTuple):
    """An input of a model.

    Attributes:
        kind: "ids", "series", "mask" (True = valid), "pairs" (booleans for each two steps) or
            "features".
        axes: what each axis behind the batch counts: the steps of a sequence, by its name, or
            a number of entries that is no padding.
    """

    name: str
    kind: str
    axes: tuple[str | int, ...]


@dataclass(frozen=True)
class Recipe:
    """All that makes a model and its batch.

    Attributes:
        seed: of the weights and of the numbers in the batch.
        inputs: the first is the main one.
        dtype: that the `keras.Input` of ids declares; None is Keras's default.
        maker: who knows of padding: "layer" (an Embedding or Masking in front), "input" (a mask is
            an input), "value" (code compares the input with the padding value), "argument" (the
            mask is handed to the model) or "nothing".
        valid: for each sequence, which steps of which sample are none of padding; of "inner"
            ones for each step of "main".
        side: where padding stands: "right", "left" or "between".
        fill: what a padded step of a series holds.
        style: "functional", "sequential" or "subclassed".
        structure: of several inputs, "list" or "dict".
        fixed: whether the `keras.Input`s declare the number of steps.
        blocks: what the main input goes through, up to and with the pooling.
        output: "steps", "sample", "both" or "decoded".
        activation: of the last layer, or "argmax".
        told: how `find_leaks` learns of padding: "nothing", "number", "lengths" or "booleans".
        scale: of the weights.
        twist: one of `TWISTS`, or None.
    """

    seed: int
    inputs: tuple[Input, ...]
    dtype: str | None
    maker: str
    valid: dict[str, list]
    side: str
    fill: float
    style: str
    structure: str
    fixed: bool
    blocks: tuple[Block, ...]
    output: str
    activation: str | None
    told: str
    scale: float = 0.7
    twist: str | None = None

    def __str__(self):
        """The same as `repr`, a field a line."""
        return "\n".join(f"    {name}={value!r}," for name, value in vars(self).items())

    def has(self, **options) -> bool:
        """Whether a block was drawn with these options."""
        return any(options.items() <= block.options.items() for block in self.blocks)

    @property
    def steps(self) -> int:
        return self.sizes["main"]

    @property
    def sizes(self) -> dict[str, int]:
        """How many steps each sequence has, padded ones too."""
        return {name: np.shape(rows)[-1] for name, rows in self.valid.items()}

    @property
    def stateful(self) -> bool:
        return self.has(stateful=True)

    @property
    def rigid(self) -> bool:
        """Whether a layer's weights need one number of steps, so that no other can be run."""
        return any(block.name in ("flatten", "mix_steps") for block in self.blocks)


# numbers of very different size, steps that move, results of other kinds: by name what they need
TWISTS: dict[str, Callable[[Recipe], bool]] = {
    "units": lambda recipe: recipe.inputs[0].kind == "series",  # millions, scaled down in front
    "times": lambda recipe: recipe.inputs[0].kind == "series",  # a column that a slice leaves out
    "samples": lambda recipe: recipe.inputs[0].kind == "series",  # the last one ten thousandfold
    "columns": lambda recipe: recipe.activation != "argmax",  # the first result millionfold
    "forbidden": lambda recipe: recipe.activation != "argmax",  # a class of -1e9, then a softmax
    "above": lambda recipe: recipe.activation != "argmax",  # whether results are above 0
    "scores": lambda recipe: recipe.output == "sample" and recipe.activation != "argmax",
    "turned": lambda recipe: recipe.output == "sample" and len(recipe.inputs[0].axes) < 3,
    "appended": lambda recipe: recipe.output == "sample" and "inner" not in recipe.valid,
}
RESULTS_SCALED = np.array([1e6, 1, 1])


def draw(seed: int) -> Recipe:
    """The recipe of a seed."""
    recipe = _Drawing(np.random.default_rng(seed)).recipe(seed)
    random = np.random.default_rng([seed, 1])  # so that the recipes without are what they were
    possible = [name for name, fits in TWISTS.items() if fits(recipe)]
    if recipe.style == "sequential" or recipe.rigid or not possible or random.random() < 0.6:
        return recipe
    return replace(recipe, twist=possible[random.integers(len(possible))])


class _Drawing:
    def __init__(self, random: np.random.Generator):
        self.random = random
        self.careful = self.chance(0.5)

    def chance(self, share: float) -> bool:
        return bool(self.random.random() < share)

    def pick(self, choices):
        """One of a list, or one of a dict by its weights."""
        if isinstance(choices, dict):
            weights = np.array([*choices.values()], "float64")
            return [*choices][self.random.choice(len(weights), p=weights / weights.sum())]
        return choices[self.random.integers(len(choices))]

    def recipe(self, seed: int) -> Recipe:
        source = self.pick({"ids": 5, "series": 3, "pages": 2})
        self.maker = self.pick(
            {
                "ids": {"layer": 5, "input": 2, "value": 2},
                "series": {"layer": 4, "input": 2, "value": 1, "argument": 2},
                "pages": {"layer": 1},
            }[source]
        )
        if not self.careful and self.chance(0.3):
            self.maker = "nothing"
        self.side = self.pick({"right": 6, "left": 2, "between": 1})
        self.style = self.pick({"functional": 5, "subclassed": 2, "sequential": 2})
        if self.maker in ("input", "value") and self.style == "sequential":
            self.style = "functional"
        samples, steps = self.pick({2: 4, 3: 3, 4: 1, 1: 1}), self.pick({5: 4, 6: 2, 4: 1, 3: 1})
        fixed = self.chance(0.25)
        output = self.pick({"sample": 5, "steps": 4, "both": 1, "decoded": 1})

        chained = self.style == "sequential"
        if chained:
            output = self.pick(["sample", "steps"])
        weights = dict(STEPS)
        if output != "sample":
            del weights["resize"]  # the steps that it adds belong to no sample
        if not self.careful:
            weights |= {"forget": 2, "neighbours": 0.5}
        blocks = [self.drawn(ENCODERS)] if source == "pages" else []
        blocks += [self.drawn(weights, fixed) for _ in range(self.pick({0: 1, 1: 4, 2: 4, 3: 1}))]
        if output != "steps":
            blocks.append(self.drawn(POOLS, fixed))

        if output in ("steps", "both") and any(block.name in MOVES_STEPS for block in blocks):
            self.side = "right" if self.side == "between" else self.side
        shortest = _shortest(blocks)
        steps = max(steps, shortest)
        sequences = {"main": (samples, steps)}
        axes: tuple[str | int, ...] = ("main",)
        if source == "pages":
            axes = ("main", "inner")
        inputs = [
            Input("series", "series", (*axes, WIDTH))
            if source == "series"
            else Input("ids", "ids", axes)
        ]
        if self.maker == "input":
            inputs.append(
                Input(self.pick(["padding_mask", "attention_mask", "known"]), "mask", axes)
            )
        for need in dict.fromkeys(NEEDS[b.name] for b in blocks if b.name in NEEDS):
            if need == "features":
                inputs.append(Input("features", "features", (self.pick([3, steps]),)))
            elif need == "pairs":
                inputs.append(Input("pairs", "pairs", ("main", "main")))
            elif self.chance(0.5):
                inputs.append(Input("other", "features", (self.pick([4, steps]), WIDTH)))
            else:
                sequences["second"] = (samples, self.pick([4, steps]))
                inputs.append(Input("other", "ids", ("second",)))
        valid = {name: self.valid(*shape, shortest) for name, shape in sequences.items()}
        if source == "pages":
            pages = np.reshape(self.valid(samples * steps, 3, 1), (samples, steps, 3))
            valid["inner"] = (pages * np.array(valid["main"])[:, :, None]).tolist()
        whole = self.chance(0.1) and not chained
        made = self.maker in ("layer", "input") and self.chance(0.6)
        told = "nothing" if made else self.pick(["number", "lengths", "booleans"])
        if told == "number" and np.all([np.all(rows) for rows in valid.values()]):
            told = "booleans"
        if told == "lengths" and (self.side != "right" or source == "pages"):
            told = "booleans"
        return Recipe(
            seed=seed,
            inputs=tuple(inputs),
            dtype=self.pick(["int32", None]),
            maker=self.maker,
            valid=valid,
            side=self.side,
            fill=self.pick([0.0, 0.0, -1.0]),
            style=self.style,
            structure=self.pick(["list", "dict"]),
            fixed=fixed,
            blocks=tuple(blocks),
            output=output,
            activation="argmax" if whole else self.pick([None, None, "softmax", "tanh"]),
            told=told,
        )

    def drawn(self, weights: dict, fixed: bool = False) -> Block:
        """One of the blocks that this style of model and of input allows."""
        allowed = {
            name: weight
            for name, weight in weights.items()
            if (name in CHAIN or self.style != "sequential")
            and (name not in ("flatten", "mix_steps") or fixed)
        }
        return self.block(self.pick(allowed))

    def block(self, name: str, inner: bool = False) -> Block:
        table = OPTIONS.get(name, {}) | (CAREFUL.get(name, {}) if self.careful else {})
        if self.style == "sequential":
            table |= CHAIN[name]
        options = {option: self.pick(choices) for option, choices in table.items()}
        # a model in a model does not say that a layer of it keeps a state
        if options.get("stateful") and (inner or not self.chance(0.3)):
            options["stateful"] = False
        if "hand" in table and options["hand"] is None:
            share = {"layer": 0.2, "input": 0.7, "value": 0.7}.get(self.maker, 0.0)
            if self.careful and share:
                by_code = self.maker != "layer"
                loses = options.get("order") == "post" or name == "started"
                share = 1.0 if by_code or loses else share
            options["hand"] = self.chance(share)
        if name == "nested":
            options["blocks"] = tuple(
                self.block(self.pick(["dense", "recurrent", "normalize", "plain"]), inner=True)
                for _ in range(self.pick([1, 2]))
            )
        return Block(name, options)

    def valid(self, samples: int, steps: int, shortest: int = 1) -> list:
        """Which steps are valid: every row padded, some full, one all padding, or none padded."""
        shortest = min(shortest, steps)
        padded = max(shortest, steps - 1)
        longest = steps if samples > 1 and self.chance(0.5) else padded
        lengths = self.random.integers(shortest, longest + 1, samples)
        some, another = self.random.permutation(samples)[[0, -1]]
        lengths[another] = min(lengths[another], padded)
        lengths[some] = longest
        if samples > 2 and self.chance(0.08):
            lengths[self.random.permutation(np.delete(np.arange(samples), another))[0]] = 0
        if self.chance(0.03):
            lengths[:] = steps
        rows = np.arange(steps) < lengths[:, None]
        if self.side == "left":
            rows = rows[:, ::-1]
        elif self.side == "between":
            rows = self.random.permuted(rows, axis=1)
        return rows.astype(int).tolist()


def _shortest(blocks: list[Block]) -> int:
    """The fewest steps that leave one behind windows."""
    steps = 1
    for block in reversed(blocks):
        width = block.options.get("kernel", 2) if block.options.get("padding") == "valid" else 1
        if block.name in ("convolve", "window"):
            steps = (steps - 1) * block.options["strides"] + width
    return steps


def build(recipe: Recipe, samples: int | None = None, free: bool = False) -> keras.Model:
    """The model of a recipe, with weights drawn from its seed.

    Args:
        samples: the batch that a stateful model is built for; None for that of the recipe.
        free: whether to leave the number of steps open where the recipe fixes it.
    """
    batch_size = (samples or len(recipe.valid["main"])) if recipe.stateful else None

    def size(axis):
        if not isinstance(axis, str):
            return axis
        return recipe.sizes[axis] if recipe.fixed and not free else None

    def symbolic(each: Input) -> keras.KerasTensor:
        dtype = {"ids": recipe.dtype, "mask": "bool", "pairs": "bool"}.get(each.kind)
        shape = (batch_size, *(size(axis) for axis in each.axes))
        return keras.Input(batch_shape=shape, dtype=dtype, name=each.name)

    inputs = packed(recipe, [symbolic(each) for each in recipe.inputs])
    parts = Parts()
    outputs = _run(recipe, parts, inputs)
    if recipe.style == "sequential":
        model = keras.Sequential([inputs, *parts.made], name="model")
    elif recipe.style == "subclassed":
        model = Subclassed(lambda given: _run(recipe, parts, given), parts)
    else:
        model = keras.Model(inputs, outputs, name="model")
    randomize(model, recipe)
    return model


class Subclassed(keras.Model):
    """A model that runs the blocks in its own `call`."""

    def __init__(self, body: Callable, parts: Parts):
        super().__init__(name="model")
        self.parts, self.body = list(parts.made), body
        self.restart = parts.restart
        self.built = True

    def call(self, inputs, mask=None):
        self.restart()
        return self.body(inputs)


def packed(recipe: Recipe, flat: list) -> Any:
    """Inputs in the structure that the model takes."""
    if len(flat) == 1:
        return flat[0]
    if recipe.structure == "list":
        return list(flat)
    return {each.name: x for each, x in zip(recipe.inputs, flat, strict=True)}


def _run(recipe: Recipe, parts: Parts, inputs: Any) -> Any:
    if not isinstance(inputs, dict):
        flat = inputs if isinstance(inputs, (list, tuple)) else [inputs]
        inputs = {each.name: x for each, x in zip(recipe.inputs, flat, strict=True)}
    flow = Flow(recipe, parts, inputs)
    x = steps = flow.start()
    for block in recipe.blocks:
        x = flow.apply(block, x)
        steps = x if block.name not in POOLS else steps
    if recipe.output == "decoded":
        return flow.decoder(x)
    return [flow.head(x), flow.head(steps)] if recipe.output == "both" else flow.head(x)


def randomize(model: keras.Model, recipe: Recipe) -> None:
    """Other weights than the initial zeros and ones, which hide leaks."""
    random = np.random.default_rng(recipe.seed)
    for v in model.trainable_variables:
        v.assign(random.normal(scale=recipe.scale, size=v.shape))
    for v in model.non_trainable_variables:
        if "moving_" in v.path:
            v.assign(random.uniform(0.5, 2, size=v.shape))


class Batch:
    """What a model is fed, as arrays by name, and which steps of each sequence are valid.

    `rows` are the samples that have a valid step of every sequence: the others have no right
    result.
    """

    def __init__(self, recipe: Recipe, arrays: dict, valid: dict):
        self.recipe, self.arrays, self.valid = recipe, arrays, valid
        self.rows = np.logical_and.reduce(
            [rows.reshape(len(rows), -1).any(axis=1) for rows in valid.values()]
        )

    @classmethod
    def of(cls, recipe: Recipe) -> "Batch":
        random = np.random.default_rng(recipe.seed + 1)
        valid = {name: np.array(rows, bool) for name, rows in recipe.valid.items()}
        samples = len(valid["main"])

        def values(each: Input) -> np.ndarray:
            sizes = [recipe.sizes.get(axis, axis) for axis in each.axes]
            shape = (samples, *sizes)
            if each.kind == "ids":
                return random.integers(1, VOCABULARY, shape).astype("int32")
            if each.kind in ("mask", "pairs"):
                return np.ones(shape, bool) if each.kind == "mask" else random.random(shape) < 0.8
            return _twisted(recipe.twist, random.normal(size=shape)).astype("float32")

        return cls(recipe, {each.name: values(each) for each in recipe.inputs}, valid).padded()

    def padded(self) -> "Batch":
        """The same with the padding value in every padded step."""
        arrays = {
            each.name: np.where(self.entries(each), self.arrays[each.name], self.padding(each))
            for each in self.recipe.inputs
        }
        return Batch(
            self.recipe,
            {name: x.astype(self.arrays[name].dtype) for name, x in arrays.items()},
            self.valid,
        )

    def padding(self, each: Input) -> float:
        return self.recipe.fill if each.kind == "series" else 0

    def entries(self, each: Input) -> np.ndarray:
        """Which entries of an input belong to valid steps, to broadcast against it."""
        found = np.ones((1,) * (1 + len(each.axes)), bool)
        for axis, name in enumerate(each.axes, start=1):
            if isinstance(name, str):
                rows = self.valid[name]
                shape = [1] * (1 + len(each.axes))
                shape[0], shape[axis] = rows.shape[0], rows.shape[-1]
                if rows.ndim == 3:
                    shape[1] = rows.shape[1]
                found = found & rows.reshape(shape)
        return found

    @property
    def flat(self) -> list[np.ndarray]:
        return [self.arrays[each.name] for each in self.recipe.inputs]

    @property
    def packed(self) -> Any:
        return packed(self.recipe, self.flat)

    @property
    def mask(self) -> Any:
        """What is handed to the model beside its inputs."""
        if self.recipe.maker != "argument":
            return None
        masks = [self.valid["main"], *[None] * (len(self.recipe.inputs) - 1)]
        return packed(self.recipe, masks)

    def kept(self, name: str, i: int) -> np.ndarray:
        """Which steps of a sequence one sample has; of inner ones, those of its longest step."""
        rows = self.valid[name][i]
        return rows.any(axis=0) if rows.ndim == 2 else rows

    def alone(self, i: int) -> "Batch":
        """One sample, without its padded steps."""
        arrays = {}
        for each in self.recipe.inputs:
            x = self.arrays[each.name][i : i + 1]
            for axis, name in enumerate(each.axes, start=1):
                if isinstance(name, str):
                    x = np.compress(self.kept(name, i), x, axis=axis)
            arrays[each.name] = x
        valid = {
            name: rows[i : i + 1][..., self.kept(name, i)] for name, rows in self.valid.items()
        }
        if "inner" in valid:
            valid["inner"] = valid["inner"][:, self.kept("main", i)]
        return Batch(self.recipe, arrays, valid)

    def of_rows(self, rows: np.ndarray) -> "Batch":
        """Some of the samples."""
        arrays = {name: x[rows] for name, x in self.arrays.items()}
        return Batch(self.recipe, arrays, {name: each[rows] for name, each in self.valid.items()})

    def longer(self, steps: int) -> "Batch":
        """More padded steps of every sequence, on the side where padding is."""
        width = (steps, 0) if self.recipe.side == "left" else (0, steps)
        arrays = {}
        for each in self.recipe.inputs:
            widths = [(0, 0), *(width if isinstance(a, str) else (0, 0) for a in each.axes)]
            arrays[each.name] = np.pad(self.arrays[each.name], widths)
        valid = {
            name: np.pad(rows, [(0, 0), *[width] * (rows.ndim - 1)])
            for name, rows in self.valid.items()
        }
        return Batch(self.recipe, arrays, valid).padded()

    def shortened(self, rows: np.ndarray) -> "Batch":
        """One valid step left of these samples."""
        valid = {name: each.copy() for name, each in self.valid.items()}
        for name, each in valid.items():
            for row in np.flatnonzero(rows) if name != "inner" else ():
                steps = np.flatnonzero(each[row])
                each[row, steps[:-1] if self.recipe.side == "left" else steps[1:]] = False
        if "inner" in valid:
            valid["inner"] &= valid["main"][:, :, None]
        return Batch(self.recipe, self.arrays, valid).padded()

    def other_content(self, random: np.random.Generator, sign: int | None) -> "Batch":
        """Other values in padded steps, where the model does not know those by their value: of
        this sign, or by None of either."""
        arrays = dict(self.arrays)
        for each in self.recipe.inputs:
            if each.kind not in ("ids", "series") or self.by_value(each):
                continue
            x = arrays[each.name]
            noise = (
                random.integers(1, VOCABULARY, x.shape)
                if each.kind == "ids"
                else _twisted(
                    self.recipe.twist,
                    (sign or random.choice((-1, 1), x.shape)) * random.uniform(3, 9, x.shape),
                )
            )
            arrays[each.name] = np.where(self.entries(each), x, noise).astype(x.dtype)
        return Batch(self.recipe, arrays, self.valid)

    def by_value(self, each: Input) -> bool:
        # the second sequence always has an Embedding that makes its mask
        return self.recipe.maker in ("layer", "value") or "second" in each.axes


def _twisted(twist: str | None, series: np.ndarray) -> np.ndarray:
    if twist == "units":
        return series * 1e6
    if twist == "samples":
        series[-1] *= 1e4
    if twist == "times":
        series[..., 0] = 1.7e9 + 3600 * np.arange(series.shape[1])
    return series


def other_weights(recipe: Recipe) -> Recipe:
    """The same model with other and smaller weights, and other numbers in its batch."""
    return replace(recipe, seed=recipe.seed + 500_000_000, scale=recipe.scale / 2)


def padding_told(batch: Batch) -> dict:
    """The arguments by which `find_leaks` learns of padding."""
    recipe = batch.recipe
    said = {} if batch.mask is None else {"mask": batch.mask}
    if recipe.told == "nothing":
        return said

    def told(each: Input) -> Any:
        if not any(isinstance(axis, str) for axis in each.axes):
            return None
        if recipe.told == "number" and each.kind in ("ids", "series"):
            return batch.padding(each)
        rows = batch.valid["second" if "second" in each.axes else "main"]
        if recipe.told == "lengths":
            return rows.sum(axis=1)
        if "inner" in each.axes:
            return ~batch.valid["inner"]
        return ~rows

    return said | {"padding": packed(recipe, [told(each) for each in recipe.inputs])}
