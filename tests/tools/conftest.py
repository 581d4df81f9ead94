"""What the tests of the tools share."""

import keras
import pytest


@pytest.fixture(autouse=True)
def fresh():
    keras.config.set_dtype_policy("float32")
    keras.utils.set_random_seed(0)
