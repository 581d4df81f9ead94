"""A short run of `make fuzz`, and brute force held against models whose answer is known."""

from dataclasses import replace

import pytest
from recipes import Block, Input, Recipe
from truth import truth

plain = Recipe(
    seed=0,
    inputs=(Input("ids", "ids", ("main",)),),
    dtype="int32",
    maker="layer",
    valid={"main": [[1, 1, 1, 0, 0], [1, 1, 1, 1, 0]]},
    side="right",
    fill=0.0,
    style="functional",
    structure="list",
    fixed=False,
    blocks=(),
    output="sample",
    activation=None,
    told="nothing",
)


def recipe(*blocks, **options):
    return replace(plain, blocks=tuple(Block(name, given) for name, given in blocks), **options)


def mean(layer="GlobalAveragePooling1D"):
    return "pool_layer", {"layer": layer, "hand": False}


HEALTHY = {
    "the mask is used": recipe(mean()),
    "the mask is used at one length": recipe(mean(), fixed=True),
    "padding in between": recipe(mean(), valid={"main": [[1, 0, 1, 0, 1], [0, 1, 0, 0, 0]]}),
    "steps": recipe(("dense", {"wrapper": None, "activation": "tanh"}), output="steps"),
    "steps and a mean": recipe(mean(), output="both"),
}
LEAKING = {
    "alone": recipe(("reduce", {"operator": "ops.mean"})),
    "alone, between": recipe(
        ("operate", {"operator": "x - mean", "keep": True}),
        output="steps",
        valid={"main": [[1, 0, 1, 0, 1], [0, 1, 0, 0, 0]]},
    ),
    "longer": recipe(("reduce", {"operator": "ops.mean"}), valid={"main": [[1, 1, 1], [1, 1, 1]]}),
    "content": recipe(("flatten", {"masked": False}), fixed=True),
    "company": recipe(("flatten", {"masked": True}), ("neighbours", {}), fixed=True),
}


@pytest.mark.parametrize("name", HEALTHY)
def test_brute_force_clears_a_model_that_uses_its_mask(name):
    found = truth(HEALTHY[name])
    assert not found.leaks, found


@pytest.mark.parametrize("name", LEAKING)
def test_brute_force_finds_the_leak_by_each_measurement(name):
    found = truth(LEAKING[name])
    assert found.leaks, found
    assert found.found[name.split(",")[0]] > 0.001
