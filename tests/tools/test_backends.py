"""What differs between backends is as recorded, and all else is the same."""

import re

import keras
import pytest

from sitekit import ROOT
from sitekit.drawn.tables import row
from sitekit.drawn.texts import words
from sitekit.measured import atlas, backends

BACKEND = keras.backend.backend()
LAYERS = {name: make for group in atlas.GROUPS.values() for name, make in group.items()}
README = (ROOT / "README.md").read_text(encoding="utf-8")
BLOCKS = re.findall(r"```python\n(.*?)```\n\n```output\n(.*?)```", README, re.DOTALL)


@pytest.mark.parametrize("name", backends.CASES)
def test_a_case_gives_what_is_recorded(name):
    assert backends.outcome(name) == backends.record()[BACKEND][name]


# TensorFlow wrote the table, and JAX compiles each layer
@pytest.mark.parametrize("name", list(LAYERS)[:: 1 if BACKEND in ("numpy", "torch") else 16])
def test_a_layer_does_to_a_mask_what_the_table_says(name):
    word = words("layers", "en")
    table = (ROOT / "docs/shared/en/tables/layers.md").read_text(encoding="utf-8").splitlines()
    assert row((f"`{name}`", *map(word, atlas.outcome(LAYERS[name])))) in table


@pytest.mark.parametrize(("code", "printed"), BLOCKS, ids=["the mean", "the tools"])
def test_a_block_of_the_readme_prints_the_same(code, printed, capsys):
    keras.utils.clear_session(free_memory=False)  # the operator is named as there
    exec(code, {})
    assert capsys.readouterr().out == printed.replace("tensorflow", BACKEND)
