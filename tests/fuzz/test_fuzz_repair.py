"""Random models that `repair` mends, held against brute force."""

import keras
import pytest
import truth
from recipes import Batch, build, draw, padding_told

from keras_masking import repair
from keras_masking._keras import any_length


class Mended(truth._Measured):
    def content(self):
        """Other values would be data to a model that now knows padding by its value."""
        return iter(())


@pytest.mark.skipif(keras.backend.backend() != "numpy", reason="others compile each copy")
@pytest.mark.filterwarnings("ignore::UserWarning")
@pytest.mark.parametrize("seed", [4])
def test_brute_force_finds_no_leak_in_a_repaired_model(seed, monkeypatch):
    recipe = draw(seed)
    batch = Batch.of(recipe)
    assert truth.truth(recipe).leaks
    repaired = repair(build(recipe), batch.packed, **padding_told(batch))
    assert repaired.ok and repaired.changes
    monkeypatch.setattr(truth, "build", lambda recipe, **sizes: repaired.model)
    with any_length():
        assert not Mended(recipe).truth.leaks
