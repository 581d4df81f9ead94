"""What the tests of the tools share."""

from pathlib import Path

import keras
import pytest


def pytest_collection_modifyitems(items):
    """Models that lose a mask are what the tools are for, and Keras says so each time."""
    for item in items:
        if Path(__file__).parent in item.path.parents:
            item.add_marker(pytest.mark.filterwarnings("ignore:.*destroy the mask:UserWarning"))


@pytest.fixture(autouse=True)
def fresh():
    keras.config.set_dtype_policy("float32")
    keras.utils.set_random_seed(0)
