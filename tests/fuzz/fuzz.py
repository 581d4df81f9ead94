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
from typing import NamedTuple

import keras
from recipes import Batch, Recipe, build, draw, padding_told
from truth import TOLERANCE, Truth, truth

from keras_masking import find_leaks


class Judged(NamedTuple):
    """A model, what is true of it and what `find_leaks` said.

    Attributes:
        outcome: "agreed", "not measured" where that is right to say, "disagreed", "does not run"
            (the model itself raises), or a reason of `REASONS`.
    """

    recipe: Recipe
    outcome: str
    truth: Truth | None
    said: str

    def __str__(self):
        seed, measured = self.recipe.seed, self.truth and (self.truth.found, self.truth.missing)
        word = self.truth.word if self.truth else "does not run"
        return (
            f"seed {seed}: brute force says {word}, find_leaks says {self.said}\n"
            f"    {measured}\n{self.recipe}\n    again: make fuzz SEED={seed} N=1"
        )


# Disagreements that are no fault of `find_leaks`: the recipe, what is true, and what was said.
REASONS = {
    "too near the tolerance to tell": lambda recipe, true, said: true.near,
    "whole numbers hid it from brute force": lambda recipe, true, said: (
        true.hidden and said == "leaks"
    ),
    "only another number of steps shows it, and the model takes one": lambda recipe, true, said: (
        recipe.fixed
        and said == "clear"
        and all(
            true.found.get(name, 0.0) <= TOLERANCE for name in ("content", "company", "gradients")
        )
    ),
}


def judge(recipe: Recipe) -> Judged:
    try:
        true = truth(recipe)
    except Exception as error:  # whatever a drawn model raises
        return Judged(recipe, "does not run", None, f"{type(error).__name__}: {error}")
    model, batch = build(true.recipe), Batch.of(true.recipe)
    try:
        said = find_leaks(model, batch.packed, **padding_told(batch)).verdict
    except Exception as error:  # none is right: the model runs
        said = f"{type(error).__name__}: {error}"
    if said == true.word:
        return Judged(recipe, "agreed", true, said)
    if said == "not measured" and recipe.fixed:
        return Judged(recipe, "not measured", true, said)
    for reason, holds in REASONS.items():
        if holds(recipe, true, said):
            return Judged(recipe, reason, true, said)
    return Judged(recipe, "disagreed", true, said)


def main() -> int:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--seed", type=int, default=0, help="of the first model")
    parser.add_argument("--models", type=int, default=100, help="how many")
    options = parser.parse_args()
    warnings.simplefilter("ignore")  # Keras tells of every mask that is lost
    outcomes, words, begun = Counter(), Counter(), time.monotonic()
    for seed in range(options.seed, options.seed + options.models):
        judged = judge(draw(seed))
        outcomes[judged.outcome] += 1
        words[judged.truth.word if judged.truth else "does not run"] += 1
        if judged.outcome != "agreed":
            print(judged, f"\n    {judged.outcome}\n", flush=True)
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
