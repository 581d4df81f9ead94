"""Sizes of different axes that agree by chance lead no layer to take one axis for another.

In a Functional model masks are computed by `keras.ops`, where a call computes them by operators of
the backend; `ops.add` of TensorFlow takes what looks like a vector for a bias and its only size for
that of the channels. A row alone has no sizes that agree with those of the batch.
"""

import keras
import numpy as np
import pytest
from conftest import array
from keras import layers
from keras.src.backend import get_keras_mask
from test_every_layer import SPECIAL, SPECIMENS, make
from test_windows import WINDOWS, named

from keras_masking import (
    DropMask,
    MaskedGroupQueryAttention,
    MaskedMultiHeadAttention,
    MaskedReshape,
    MaskedTimeDistributed,
)

pytestmark = pytest.mark.filterwarnings(
    "ignore:.*destroy the mask",  # Keras, of its own layers
    "ignore:(overflow|invalid value)",  # numpy, of a symbolic call on memory as it is
    "ignore:.*softmax over axis",  # Keras, of a single step
)


def of_itself(layer):
    return lambda x: layer(x, x)


LAYERS = {name: lambda _, name=name: make(name) for name in SPECIMENS}
LAYERS |= {
    f"Masked{named(windows)}": lambda _, windows=windows: windows.ours(mask_rule="all")
    for windows in WINDOWS
}
LAYERS |= {
    "DropMask": lambda _: DropMask(),
    "KeepMask": lambda _: SPECIAL["KeepMask"],
    "MaskedGroupQueryAttention": lambda _: of_itself(MaskedGroupQueryAttention(2, 4, 2)),
    "MaskedMultiHeadAttention": lambda _: of_itself(MaskedMultiHeadAttention(3, 2)),
    "MaskedRepeatVector": lambda _: SPECIAL["MaskedRepeatVector"],
    "MaskedReshape": lambda features: MaskedReshape((-1, 1, features)),
    "a dense layer of each step": lambda _: MaskedTimeDistributed(layers.Dense(2)),
}
# batch, steps, features: each two of them agree, all of them, and the batch with the steps that
# are left behind strides
SIZES = [(2, 4, 2), (4, 4, 2), (2, 5, 2), (3, 5, 2), (2, 4, 4), (4, 4, 4)]
if keras.backend.backend() != "tensorflow":
    SIZES = [(4, 4, 4)]


def batch(size):
    """Numbers, where each row has padding elsewhere: on the left, on the right, in between."""
    rng = np.random.default_rng(0)
    x, mask = rng.normal(size=size).astype("float32"), rng.random(size[:2]) < 0.8
    mask[0, 0], mask[-1, -1], mask[:, 1] = False, False, True
    return np.where(mask[..., None], x, 0)


def with_its_mask(layer, x):
    """The result for a batch that `Masking` looked at, and the mask on it, if there is one."""
    result = layer(layers.Masking()(x))
    mask = get_keras_mask(result)
    return [result] if mask is None else [result, mask]


@pytest.mark.parametrize("name", LAYERS)
def test_a_functional_model_gives_each_row_what_a_call_with_the_row_alone_gives(name):
    for features in {size[2] for size in SIZES}:
        keras.utils.set_random_seed(0)
        layer, inputs = LAYERS[name](features), keras.Input((None, features))
        outputs = with_its_mask(layer, inputs)
        model = keras.Model(inputs, outputs if len(outputs) > 1 else outputs[0])
        for size in (size for size in SIZES if size[2] == features):
            x = batch(size)
            together = keras.tree.flatten(model(x))
            for b in range(len(x)):
                for one, all_ in zip(with_its_mask(layer, x[b : b + 1]), together, strict=True):
                    np.testing.assert_allclose(
                        array(all_)[b], array(one)[0], rtol=1e-5, atol=1e-5, err_msg=str(size)
                    )
