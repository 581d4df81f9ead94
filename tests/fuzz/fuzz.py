"""`make fuzz`: what `find_leaks` says of random models, and what brute force says.

    make fuzz SEED=0 N=1000     a thousand models, of the seeds 0 to 999
    make fuzz SEED=123 N=1      one of them again

The exit status is 1 where they disagree for no reason that is listed in `REASONS`.
"""

import argparse
import sys
import time
import warnings
from collections import Counter
from dataclasses import replace
from typing import NamedTuple

import keras
import numpy as np
from recipes import Batch, Recipe, build, draw, padding_told
from truth import Truth, hidden, truth

from keras_masking import find_leaks
from keras_masking.leaks.computing import for_comparison


class Judged(NamedTuple):
    """A model, what is true of it and what `find_leaks` said.

    Attributes:
        outcome: "agreed", "disagreed", "does not run" (the model itself raises), or why another
            answer is right too, as in `REASONS`.
        why: what `find_leaks` measured, or what the model raised.
    """

    recipe: Recipe
    outcome: str
    truth: Truth | None
    said: str
    why: str

    def __str__(self):
        recipe = self.truth.recipe if self.truth else self.recipe
        measured = (self.truth.found | self.truth.missing) if self.truth else {}
        return (
            f"seed {self.recipe.seed}, {self.outcome}\n"
            f"    brute force says {self.truth.word if self.truth else 'nothing'}: {measured}\n"
            f"    find_leaks says {self.said}: {self.why}\n{recipe}\n"
            f"    again: make fuzz SEED={self.recipe.seed} N=1\n"
        )


class Case(NamedTuple):
    """What is true of a model, what was said of it, the probes that showed it, and whether the
    report tells that an input was taken as complete."""

    true: Truth
    said: str
    probes: set[str]
    guessed: bool

    @property
    def recipe(self) -> Recipe:
        return self.true.recipe

    @property
    def complete(self) -> bool:
        """Whether an input has no padding beside valid steps, so that the tool puts some there."""
        return self.half != self.recipe.valid

    @property
    def side(self) -> str:
        """Where all padding of the batch stands, if there is some, as far as the batch shows."""
        main = np.array(self.recipe.valid["main"])
        return "right" if main.all() or (np.diff(main) < 0).any() else "left"

    def has(self, *words: str) -> bool:
        """Whether a layer or an operator of the model is called so."""
        options = [str(block.options).lower() for block in self.recipe.blocks]
        return any(word in each for word in words for each in options)

    @property
    def only_content_shows_it(self) -> bool:
        """Whether it was called clear, and brute force had to change what stands in padding."""
        return self.said == "clear" and self.true.shown_by <= {"content", "gradients"}

    def would_leak(self, **changes) -> bool:
        """Whether the model leaks by brute force where the recipe says something else."""
        return truth(replace(self.recipe, **changes)).leaks

    @property
    def without_empty_steps(self) -> dict:
        """Which steps are valid, where an outer one without an inner one is not."""
        main = np.array(self.recipe.valid["main"]) & np.any(self.recipe.valid["inner"], axis=2)
        return self.recipe.valid | {"main": main.tolist()}

    @property
    def has_empty_steps(self) -> bool:
        return "inner" in self.recipe.valid and self.without_empty_steps != self.recipe.valid

    @property
    def own(self) -> np.ndarray:
        """Which samples have a valid step in each input."""
        valid = [np.array(rows) for rows in self.recipe.valid.values()]
        return np.logical_and.reduce([x.any(axis=tuple(range(1, x.ndim))) for x in valid])

    @property
    def half(self) -> dict:
        """Which steps are valid, with padding as the tool puts it."""
        valid = {name: np.array(rows) for name, rows in self.recipe.valid.items()}
        inputs = {"main": [name for name in ("main", "inner") if name in valid]}
        if "second" in valid:
            inputs["second"] = ["second"]
        own = self.own
        for names in inputs.values():
            if all(valid[name][own].all() for name in names):
                half = self.padded_half(valid[names[0]].shape[1])
                for name in names:
                    valid[name][np.flatnonzero(own)[::2], half] = 0
        return {name: rows.tolist() for name, rows in valid.items()}

    def padded_half(self, steps: int) -> slice:
        """On the side on which another input is padded, or on the right."""
        shown = any(0 < np.sum(row) < np.size(row) for x in self.recipe.valid.values() for row in x)
        return (
            slice(steps // 2)
            if shown and self.recipe.side == "left"
            else slice((steps + 1) // 2, steps)
        )


# Other answers than that of brute force which are right too.
REASONS = {
    "of another input nothing was said, and the report tells that it was taken as complete": (
        lambda case: (
            case.guessed
            and (
                case.said == "clear"
                # a mask is then of an input that only looks alike
                or (case.said == "leaks" and case.recipe.maker == "input" and case.recipe.fill)
            )
        )
    ),
    "asked: False between may tell what was observed": lambda case: (
        case.said in ("UnusableInput", "not measured")
        and case.recipe.side == "between"
        and any(x.kind == "mask" for x in case.recipe.inputs)
    ),
    "a step of nothing but padding inside is taken for padding": lambda case: (
        case.has_empty_steps
        and case.said
        in ("not measured", truth(replace(case.recipe, valid=case.without_empty_steps)).word)
    ),
    "another number of steps shows it, which brute force does not try": lambda case: (
        case.said == "leaks" and case.recipe.rigid and case.probes <= {"alone", "length"}
    ),
    "not measured: every sample keeps padding inside when it is cut": lambda case: (
        case.said == "not measured"
        and "inner" in case.recipe.valid
        and all(
            np.all(steps) and np.any(inner, axis=0).all()
            for steps, inner, own in zip(
                case.recipe.valid["main"], case.recipe.valid["inner"], case.own, strict=True
            )
            if own
        )
    ),
    "only other values in padding show it, which code of the model's own may know": (
        lambda case: case.only_content_shows_it and case.recipe.maker == "nothing"
    ),
    "only other values in padding show it, and the model turns the steps round": lambda case: (
        case.only_content_shows_it and case.recipe.twist == "turned"
    ),
    "only other values in padding show it, and the mask that is an input may be of another": (
        lambda case: (
            case.only_content_shows_it
            and case.recipe.maker == "input"
            and case.recipe.valid["main"] == case.recipe.valid.get("second")
        )
    ),
    "steps alike tie for a maximum, and rounding decides which of them has the gradient": (
        lambda case: (
            case.said == "clear"
            and case.true.shown_by == {"gradients"}
            and case.has("maxpool", "maskedmax", "maximum", "ops.max")
            and any(x.kind == "ids" for x in case.recipe.inputs)
        )
    ),
    "only more padding than the tool put there shows it, in steps that a layer adds": (
        lambda case: (
            case.said == "clear"
            and case.complete
            and case.true.shown_by == {"longer"}
            and case.has("transpose")
        )
    ),
    "not measured: which of the steps that a layer adds are valid is not known": lambda case: (
        case.said == "not measured" and case.has("transpose")
    ),
    "only some numbers in padding show it: those whose products outweigh -1e9 of Attention": (
        lambda case: (
            case.said == "clear"
            and case.recipe.twist == "samples"
            and case.true.shown_by == {"content"}
            and case.has("attention")
        )
    ),
    "not measured: whole numbers hid from brute force that the model is random": lambda case: (
        case.said == "not measured" and any(block.name == "random" for block in case.recipe.blocks)
    ),
    "too near the tolerance to tell": lambda case: case.true.near,
    "only another number of steps shows it, and the model takes one": lambda case: (
        case.recipe.fixed
        and case.said in ("clear", "not measured")
        and case.true.shown_by <= {"alone", "longer"}
    ),
    "not measured: without padding, an axis as long as that of another input may be its steps": (
        lambda case: (
            case.said == "not measured"
            and case.complete
            and (
                any(x.kind in ("pairs", "features") for x in case.recipe.inputs)
                or (case.recipe.told == "nothing" and len(case.recipe.inputs) > 1)
            )
        )
    ),
    "not measured: the weights need one number of steps": lambda case: (
        case.said == "not measured" and case.recipe.rigid
    ),
    "not measured: the model takes one length and knows padding by its value": lambda case: (
        case.said == "not measured"
        and case.recipe.fixed
        and (case.recipe.maker == "value" or case.recipe.inputs[0].kind == "series")
    ),
    "not measured: no row has padding beside data, and its value is not known": lambda case: (
        case.said == "not measured"
        and case.complete
        and (
            case.recipe.maker != "layer"
            or case.recipe.twist == "turned"
            or "second" in case.recipe.valid  # which code may mask by hand
        )
        and case.recipe.told != "number"
    ),
    "not measured: what is left of the only padding, which the tool put there, fits no window": (
        lambda case: (
            case.said == "not measured"
            and case.complete
            and any(block.options.get("padding") == "valid" for block in case.recipe.blocks)
        )
    ),
    "the padding that the tool put there shows it, and brute force had none": lambda case: (
        case.said == "leaks"
        and case.complete
        and (
            case.would_leak(valid=case.half, side="right")
            or hidden(replace(case.recipe, valid=case.half, side="right"))
        )
    ),
    "padding on another side shows it than the one where this batch has it, or the right": (
        lambda case: (
            case.said == "clear"
            and case.true.shown_by == {"longer"}
            and case.recipe.side != case.side
            and not case.would_leak(side=case.side, **{"valid": case.half} if case.complete else {})
        )
    ),
    "other values in padding show it, and no layer of the model looks for those that are there": (
        lambda case: (
            case.said == "leaks"
            and case.recipe.maker == "value"
            and case.probes <= {"content", "gradients"}
            and case.would_leak(maker="nothing")
        )
    ),
    "whole numbers, or an activation that is saturated, hid it from brute force": lambda case: (
        case.said == "leaks" and hidden(case.recipe)
    ),
    "results that are nan without padding too hid it from brute force": lambda case: (
        case.said == "leaks"
        and case.recipe.has(safe=False)
        and case.would_leak(
            blocks=tuple(
                block._replace(options=block.options | {"safe": True})
                if block.name == "unit"
                else block
                for block in case.recipe.blocks
            )
        )
    ),
    "rounding of large values, or small weights, hid from brute force what it shows without": (
        lambda case: (
            case.said == "leaks"
            and case.recipe.twist in ("samples", "forbidden")
            and case.would_leak(twist=None, scale=0.7)
        )
    ),
    "a step of nothing but padding inside, hidden by whole numbers": (
        lambda case: (
            case.said == "leaks"
            and case.has_empty_steps
            and hidden(replace(case.recipe, valid=case.without_empty_steps))
        )
    ),
}


def judge(recipe: Recipe) -> Judged:
    """Holds `find_leaks` against brute force on the model of a recipe."""
    try:
        return _judged(recipe)
    finally:
        if keras.backend.backend() == "jax":
            import jax

            jax.clear_caches()  # which grow by a hundred megabytes a model


@for_comparison()
def _judged(recipe: Recipe) -> Judged:
    try:
        true = truth(recipe)
    except Exception as error:  # whatever a drawn model raises
        return Judged(recipe, "does not run", None, "nothing", _in_short(error))
    model, batch = build(true.recipe), Batch.of(true.recipe)
    probes, guessed = set(), False
    try:
        report = find_leaks(model, batch.packed, **padding_told(batch))
        said, probes = report.verdict, {leak.probe for leak in report.leaks}
        guessed = any(note.key == "taken-as-complete" for note in report.notes)
        why = {probe.name: probe.result if probe.ran else probe.note for probe in report.probes}
    except Exception as error:  # the model runs
        said, why = type(error).__name__, _in_short(error)
    case = Case(true, said, probes, guessed)
    reasons = (reason for reason, holds in REASONS.items() if holds(case))
    outcome = "agreed" if said == true.word else next(reasons, "disagreed")
    return Judged(recipe, outcome, true, said, str(why))


def _in_short(error: Exception) -> str:
    return " ".join(str(error).split())[:300]


def main() -> int:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--seed", type=int, default=0, help="of the first model")
    parser.add_argument("--models", type=int, default=100, help="how many")
    options = parser.parse_args()
    warnings.simplefilter("ignore")  # Keras tells of every mask that is lost
    outcomes, words, begun = Counter(), Counter(), time.monotonic()
    for done, seed in enumerate(range(options.seed, options.seed + options.models)):
        if sys.stderr.isatty():
            print(f"\r{done} of {options.models}", end="\r", file=sys.stderr, flush=True)
        judged = judge(draw(seed))
        outcomes[judged.outcome] += 1
        words[judged.truth.word if judged.truth else "does not run"] += 1
        if judged.outcome != "agreed":
            print(judged, flush=True)
    minutes = (time.monotonic() - begun) / 60
    print(
        f"{keras.backend.backend()}, Keras {keras.__version__}: {options.models} models, "
        f"{options.models / minutes:.0f} a minute\n  brute force: {_listed(words)}"
        f"\n  find_leaks: {_listed(outcomes)}"
    )
    return 1 if outcomes["disagreed"] else 0


def _listed(counts: Counter) -> str:
    return ", ".join(f"{name} {number}" for name, number in counts.most_common())


if __name__ == "__main__":
    sys.exit(main())
