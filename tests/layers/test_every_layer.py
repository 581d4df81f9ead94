"""What holds for every layer of the package. A new layer needs an entry in SPECIMENS, no more."""

import ast
import functools
import inspect
import os
import shutil
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path
from typing import NamedTuple

import keras
import numpy as np
import pytest
from conftest import (
    EXAMPLES,
    array,
    crossed,
    gradient_of,
    leaking_probes,
    mask_of,
    needs,
    needs_gradients,
    padded_batches,
    some,
)
from hypothesis import given, settings
from keras import layers, ops
from keras.src.backend import get_keras_mask
from keras.src.testing import TestCase

import keras_masking
from sitekit.drawn import copies


class Specimen(NamedTuple):
    """How to make a layer, and what it must give for the unmasked steps of one sample."""

    oracle: Callable[[np.ndarray], np.ndarray]
    arguments: dict = {}
    shape: tuple[int, ...] = (2, 3)  # that (2, 4, 3) becomes
    weights: int = 0
    state: int = 0  # weights that are not trained


def over_time(summary):
    """0 where there is no step."""
    return lambda x: summary(x) if len(x) else np.zeros(x.shape[1:])


def softmax(x):
    exponents = np.exp(x - x.max(axis=0, initial=-np.inf))
    return exponents / exponents.sum(axis=0)


def softsign(x):
    return x / (1 + abs(x))


SPECIMENS = {
    "MaskedAttentionPooling": Specimen(
        over_time(lambda x: softmax(x.sum(axis=-1) / 64) @ x),
        {"kernel_initializer": keras.initializers.Constant(1 / 64)},
        weights=1,
    ),
    "MaskedAveragePooling1D": Specimen(lambda x: x, {"pool_size": 1}, shape=(2, 4, 3)),
    "MaskedBatchNormalization": Specimen(
        lambda x: x / np.sqrt(1.001), shape=(2, 4, 3), weights=2, state=2
    ),
    "MaskedConv1D": Specimen(  # more than one step in a window: test_windows.py
        lambda x: x.sum(axis=-1, keepdims=True) / 4 * np.ones(5),
        {
            "filters": 5,
            "kernel_size": 1,
            "kernel_initializer": keras.initializers.Constant(1 / 4),
        },
        shape=(2, 4, 5),
        weights=2,
    ),
    "MaskedConv1DTranspose": Specimen(
        lambda x: x.sum(axis=-1, keepdims=True) / 4 * np.ones(5),
        {
            "filters": 5,
            "kernel_size": 1,
            "kernel_initializer": keras.initializers.Constant(1 / 4),
        },
        shape=(2, 4, 5),
        weights=2,
    ),
    "MaskedCropping1D": Specimen(lambda x: x[1:-1], shape=(2, 2, 3)),
    "MaskedDepthwiseConv1D": Specimen(
        lambda x: x / 4,
        {"kernel_size": 1, "depthwise_initializer": keras.initializers.Constant(1 / 4)},
        shape=(2, 4, 3),
        weights=2,
    ),
    "MaskedEinsumDense": Specimen(
        lambda x: x.sum(axis=-1, keepdims=True) / 4 * np.ones(5),
        {
            "equation": "...f,fg->...g",
            "output_shape": 5,
            "kernel_initializer": keras.initializers.Constant(1 / 4),
        },
        shape=(2, 4, 5),
        weights=1,
    ),
    "MaskedFirst": Specimen(over_time(lambda x: x[0])),
    "MaskedFlatten": Specimen(lambda x: x.reshape(-1), shape=(2, 12)),
    "MaskedGroupNormalization": Specimen(
        lambda x: (x - x.mean()) / np.sqrt(x.var() + 1e-3) if len(x) else x,
        {"groups": 1},
        shape=(2, 4, 3),
        weights=2,
    ),
    "MaskedLambda": Specimen(softsign, {"function": keras.activations.softsign}, shape=(2, 4, 3)),
    "MaskedLast": Specimen(over_time(lambda x: x[-1])),
    "MaskedMax": Specimen(over_time(lambda x: x.max(axis=0))),
    "MaskedMaxPooling1D": Specimen(lambda x: x, {"pool_size": 1}, shape=(2, 4, 3)),
    "MaskedMean": Specimen(over_time(lambda x: x.mean(axis=0))),
    "MaskedMin": Specimen(over_time(lambda x: x.min(axis=0))),
    "MaskedPermute": Specimen(lambda x: x.T.reshape(-1), {"dims": (2, 1)}, shape=(2, 3, 4)),
    "MaskedRMSNormalization": Specimen(
        lambda x: x / np.sqrt((x**2).mean(axis=-1, keepdims=True) + 1e-6),
        shape=(2, 4, 3),
        weights=1,
    ),
    "MaskedReshape": Specimen(
        lambda x: x[:, None], {"target_shape": (-1, 1, 3)}, shape=(2, 4, 1, 3)
    ),
    "MaskedSeparableConv1D": Specimen(
        lambda x: x.sum(axis=-1, keepdims=True) / 4 * np.ones(5),
        {
            "filters": 5,
            "kernel_size": 1,
            "depthwise_initializer": keras.initializers.Constant(1 / 4),
            "pointwise_initializer": "ones",
        },
        shape=(2, 4, 5),
        weights=3,
    ),
    "MaskedSoftmax": Specimen(softmax, {"axis": 1}, shape=(2, 4, 3)),
    "MaskedStd": Specimen(over_time(lambda x: x.std(axis=0))),
    "MaskedSum": Specimen(lambda x: x.sum(axis=0)),
    "MaskedTimeDistributed": Specimen(
        softsign, {"layer": layers.Activation("softsign")}, shape=(2, 4, 3)
    ),
    "MaskedUpSampling1D": Specimen(lambda x: x.repeat(2, axis=0), shape=(2, 8, 3)),
    "MaskedZeroPadding1D": Specimen(lambda x: x, shape=(2, 6, 3)),
}
# they hand values on as they are, or take other inputs: how to call them with a masked tensor;
# what is tested of the others here, their own files test
SPECIAL = {
    "DropMask": lambda x: layers.Dense(2)(keras_masking.DropMask()(x)),
    "KeepMask": lambda x: keras_masking.KeepMask()([x * 2, x]),
    "MaskedGroupQueryAttention": lambda x: keras_masking.MaskedGroupQueryAttention(2, 4, 2)(x, x),
    "MaskedMultiHeadAttention": lambda x: keras_masking.MaskedMultiHeadAttention(2, 4)(x, x),
    "MaskedRepeatVector": lambda x: keras_masking.MaskedRepeatVector(2)(
        keras_masking.MaskedFlatten()(x)
    ),
}
FLOAT32 = {  # jax has float64 only when told, and on numpy Keras's einsum, activations and windows
    # have not
    "jax": SPECIMENS,
    "numpy": (
        "MaskedAveragePooling1D",
        "MaskedConv1D",
        "MaskedConv1DTranspose",
        "MaskedDepthwiseConv1D",
        "MaskedEinsumDense",
        "MaskedLambda",
        "MaskedMaxPooling1D",
        "MaskedSeparableConv1D",
        "MaskedTimeDistributed",
    ),
}
# the one that imports fastest, where it is there
QUICK = "torch" if keras.backend.backend() == "torch" else "numpy"
ROOT = Path(__file__).parents[2]
FILES = sorted((ROOT / copies.FOLDER).glob("*.py"))
OTHER_FILES = [ROOT / "src/keras_masking" / name for name in ("conversions.py", "losses.py")]
every_layer = pytest.mark.parametrize("name", SPECIMENS)

# whether the model runs eagerly beside it; a backend that compiles each is given two for a layer
KINDS = [("functional", False), ("nested", True), ("subclassed", False), ("sequential", True)]
PLACED = [
    (name, *kind)
    for i, name in enumerate(SPECIMENS)
    for kind in (KINDS if keras.backend.backend() == "numpy" else KINDS[i % 2 * 2 :][:2])
]

X = np.random.default_rng(0).normal(size=(2, 4, 3)).astype("float32")
MASKS = {
    "right": [[1, 1, 1, 0], [1, 0, 0, 0]],
    "left": [[0, 1, 1, 1], [0, 0, 0, 1]],
    "interleaved": [[1, 0, 1, 1], [0, 1, 0, 0]],
    "a fully padded row": [[1, 1, 1, 0], [0, 0, 0, 0]],
}
MASKS = {name: np.array(mask, bool) for name, mask in MASKS.items()}
RIGHT = MASKS["right"]


def make(name, **options):
    return getattr(keras_masking, name)(**SPECIMENS[name].arguments, **options)


def file_of(name):
    return getattr(keras_masking, name).__module__.rpartition(".")[2]


def with_padding(x, mask, value):
    return np.where(mask[..., None], x, np.array(value, x.dtype))


def seen(layer, x, mask) -> list[np.ndarray]:
    """For each sample, what a layer behind may use: where an output mask is, its valid part."""
    result, left = array(layer(x, mask=mask)), layer.compute_mask(ops.convert_to_tensor(x), mask)
    return [y if left is None else y[array(left)[i]] for i, y in enumerate(result)]


def assert_same(one, other, **tolerance):
    for a, b in zip(one, other, strict=True):
        np.testing.assert_allclose(a, b, **({"rtol": 1e-5, "atol": 1e-6} | tolerance))


def test_every_public_layer_is_tested_here():
    public = {
        name
        for name, value in vars(keras_masking).items()
        if inspect.isclass(value) and issubclass(value, keras.layers.Layer)
    }
    assert public == {*SPECIMENS, *SPECIAL} == set(keras_masking.layers.__all__)


@functools.cache
def with_ones_in_padding(name, side):
    """A layer and its result, which is the same for whatever else stands there."""
    layer, mask = make(name), MASKS[side]
    return layer, array(layer(with_padding(X, mask, 1), mask=mask))


@functools.cache
def without_padding(name):
    layer = make(name)
    return layer, seen(layer, X, np.ones((2, 4), bool))


@pytest.mark.filterwarnings(
    "ignore:.*softmax over axis",  # Keras, of a single step
    "ignore:invalid value",  # numpy, of nan and inf in padding
)
class TestPaddingInvariance:
    @pytest.mark.parametrize(
        ("name", "side", "value"),
        crossed(SPECIMENS, MASKS, [0, 7, -3e38, np.nan, np.inf, -np.inf]),
    )
    def test_what_stands_in_padded_steps_changes_nothing(self, name, side, value):
        mask = MASKS[side]
        layer, expected = with_ones_in_padding(name, side)
        assert_same(array(layer(with_padding(X, mask, value), mask=mask)), expected)

    @every_layer
    @pytest.mark.parametrize(("before", "after"), [(0, 4), (4, 0), (2, 2)])
    def test_how_many_padded_steps_there_are_changes_nothing(self, name, before, after):
        width = [(0, 0), (before, after)]
        x = np.pad(X, [*width, (0, 0)], constant_values=np.nan)
        layer, expected = without_padding(name)
        assert_same(seen(layer, x, np.pad(np.ones((2, 4), bool), width)), expected)

    @every_layer
    def test_the_neighbours_of_a_sample_change_nothing(self, name):
        alone = seen(make(name), X[1:, :1], np.ones((1, 1), bool))
        together = seen(make(name), X, RIGHT)
        assert_same(alone, together[1:])

    @every_layer
    @pytest.mark.parametrize("side", MASKS)
    def test_it_equals_the_unpadded_sequences_run_one_by_one(self, name, side):
        mask = MASKS[side]
        oracle = SPECIMENS[name].oracle
        expected = [oracle(x[m].astype("float64")) for x, m in zip(X, mask, strict=True)]
        assert_same(seen(make(name), with_padding(X, mask, np.nan), mask), expected)

    @every_layer
    @settings(deadline=None, max_examples=EXAMPLES, derandomize=True)
    # the shapes of the other tests, because jax compiles for each
    @given(batch=padded_batches((2, 4, 3), (1, 1, 3), (0, 4, 3)))
    def test_it_equals_a_plain_loop_on_any_input(self, name, batch):
        x, mask = batch
        oracle = SPECIMENS[name].oracle
        expected = [oracle(s[m].astype("float64")) for s, m in zip(x, mask, strict=True)]
        assert_same(seen(make(name), x, mask), expected, rtol=1e-4, atol=1e-2)


@pytest.mark.filterwarnings(
    "ignore:.*destroy the mask",  # Keras, of its own layers
    "ignore:(overflow|invalid value)",  # numpy, of a symbolic call on memory as it is
    "ignore:.*__array__ implementation",  # Keras, where it reads seeds
)
class TestLeaks:
    """By the probes of `find_leaks`: more padding, other values and nan in it, other neighbours."""

    SIDES = [("right", False), ("left", False), ("right", True)]
    PROBED = some([*SPECIMENS, *SPECIAL])

    @pytest.mark.parametrize("name", PROBED)
    @pytest.mark.parametrize(("side", "training"), some(SIDES))
    def test_no_probe_finds_any(self, name, side, training):
        # in training a batch is normalized as a whole, so that its samples are meant to matter
        shared = training and name == "MaskedBatchNormalization"
        model = probed_model(SPECIAL.get(name) or make(name), training=training)
        x = PADDED if side == "right" else PADDED[:, ::-1]
        assert leaking_probes(model, x) == ({"alone", "company"} if shared else set())

    @pytest.mark.parametrize("name", PROBED)
    def test_behind_each_layer_they_see_what_leaks_in_front(self, name):
        model = probed_model(SPECIAL.get(name) or make(name), in_front=[Leaking()])
        expected = {"alone", "length", "company"}
        if name == "MaskedCropping1D":
            # of the sample that keeps its steps the cropping leaves none
            expected.remove("company")
        assert leaking_probes(model, PADDED) == expected

    @pytest.mark.parametrize(
        ("layer", "probes"),
        [
            (layers.GlobalMaxPooling1D(), {"alone"}),
            (layers.GroupNormalization(1), {"alone", "length"}),
            (lambda x: layers.MultiHeadAttention(2, 4)(x, x), {"nan"}),
        ],
    )
    def test_in_layers_of_keras_they_find_some(self, layer, probes):
        assert leaking_probes(probed_model(layer), PADDED) == probes


PADDED = with_padding(X, np.arange(4) < [[3], [2]], 0)


def probed_model(layer, in_front=(), training=False):
    """Gives the result and, where steps are left in it, their mean too."""
    inputs = keras.Input((None, 3))
    x = layers.Masking()(inputs)
    for before in in_front:
        x = before(x)
    result = layer(x)
    mask = get_keras_mask(result)
    if mask is not None:
        result = [result, keras_masking.MaskedMean(axis=len(mask.shape) - 1)(result)]
    model = keras.Model(inputs, result)
    if training:
        model = InTraining(model)
        model(X)
    return model


class InTraining(keras.Model):
    """Runs a model as `fit` does; `find_leaks` runs what it is given in inference mode."""

    def __init__(self, model):
        super().__init__()
        self.model = model

    def call(self, x):
        return self.model(x, training=True)


class Leaking(layers.Layer):
    """Every step of the batch, padding too, reaches every other."""

    supports_masking = True

    def call(self, x):
        return x * (x + ops.mean(x))


class TestCompiled:
    @needs["tensorflow"]
    @every_layer
    @pytest.mark.parametrize(
        ("xla", "shape"), [(False, (None, None, 3)), (True, (None, None, 3)), (True, (2, 4, 3))]
    )
    def test_tensorflow_graphs_give_what_eager_calls_give(self, name, xla, shape):
        import tensorflow as tf

        layer = make(name)
        signature = [tf.TensorSpec(shape), tf.TensorSpec(shape[:2], tf.bool)]

        @tf.function(jit_compile=xla, input_signature=signature)
        def compiled(x, mask):
            return layer(x, mask=mask)

        for value in (0, np.nan):
            x = with_padding(X, RIGHT, value)
            assert_same(array(compiled(x, RIGHT)), array(layer(x, mask=RIGHT)))

    @needs["jax"]
    @every_layer
    def test_jax_graphs_give_what_eager_calls_give(self, name):
        import jax

        layer = make(name)
        layer.build(X.shape)
        compiled = jax.jit(lambda x, mask: layer(x, mask=mask))
        for value in (0, np.nan):
            x = with_padding(X, RIGHT, value)
            assert_same(array(compiled(x, RIGHT)), array(layer(x, mask=RIGHT)))

    @needs["jax"]
    @every_layer
    def test_jax_maps_it_over_another_axis(self, name):
        import jax

        layer = make(name)
        layer.build(X.shape)
        x, mask = np.stack([X, 2 * X]), np.stack([RIGHT, RIGHT])
        mapped = jax.jit(jax.vmap(lambda x, mask: layer(x, mask=mask)))(x, mask)
        assert_same(array(mapped[1]), array(layer(2 * X, mask=RIGHT)))


@pytest.mark.filterwarnings("ignore:.*__array__ implementation")  # Keras, where it loads weights
class TestModels:
    """The mask arrives by itself, whatever kind of model the layer stands in."""

    # said of a nested model, and not true
    @pytest.mark.filterwarnings("ignore:.*does not support masking")
    @pytest.mark.parametrize(("name", "kind", "eager"), PLACED)
    def test_the_mask_arrives(self, name, kind, eager):
        x = with_padding(X, RIGHT, 0)
        expected = array(make(name)(x, mask=RIGHT))
        model = model_of(kind, make(name))
        model.compile(run_eagerly=eager)
        assert_same(model.predict(x, verbose=0), expected)
        longer = array(model(np.pad(x, [(0, 0), (0, 4), (0, 0)])))
        assert_same(longer[tuple(map(slice, expected.shape))], expected)

    @every_layer
    def test_without_a_mask_it_runs_in_a_model(self, name):
        inputs = keras.Input((None, 3))
        model = keras.Model(inputs, make(name)(inputs))
        assert_same(model.predict(X, verbose=0), array(make(name)(X)))

    @every_layer
    def test_saved_and_loaded_it_gives_the_same(self, name, tmp_path):
        model = model_of("functional", make(name))
        model.save(tmp_path / "model.keras")
        loaded = keras.saving.load_model(tmp_path / "model.keras")
        x = with_padding(X, RIGHT, 0)
        np.testing.assert_array_equal(array(loaded(x)), array(model(x)))
        assert loaded.layers[-1].get_config() == model.layers[-1].get_config()

    @every_layer
    def test_the_output_carries_the_mask_that_it_computes(self, name):
        layer, x = make(name), layers.Masking()(with_padding(X, RIGHT, 0))
        mask, left = mask_of(layer(x)), layer.compute_mask(x, RIGHT)
        assert (mask is None) == (left is None)
        if mask is not None:
            np.testing.assert_array_equal(mask, array(left))
            assert mask.shape == array(layer(x)).shape[: mask.ndim]

    @every_layer
    def test_shapes_are_known_before_the_run(self, name):
        layer, expected = make(name), SPECIMENS[name].shape
        inputs = keras.Input((4, 3), batch_size=2)
        assert layer(layers.Masking()(inputs)).shape == expected
        assert tuple(layer.compute_output_shape((2, 4, 3))) == expected
        assert tuple(layer(X, mask=RIGHT).shape) == expected


def model_of(kind, layer):
    if kind == "sequential":
        return keras.Sequential([layers.Masking(), layer])
    if kind == "subclassed":
        return Subclassed(layer)
    inputs = keras.Input((None, 3))
    if kind == "nested":
        inner = keras.Sequential([layers.Activation("linear"), layer])
        return keras.Model(inputs, inner(layers.Masking()(inputs)))
    return keras.Model(inputs, layer(layers.Masking()(inputs)))


class Subclassed(keras.Model):
    def __init__(self, layer):
        super().__init__()
        self.masking, self.layer = layers.Masking(), layer

    def call(self, x):
        return self.layer(self.masking(x))


# what the layers of this package take beside the arguments of Keras, as it is not by default
ARGUMENTS = {
    "axis": 2,
    "keepdims": True,
    "kernel_initializer": keras.initializers.Constant(3),
    "mask_rule": "all",
    "pass_mask": False,
}


@every_layer
def test_the_arguments_of_the_package_come_back_from_the_config(name):
    cls = getattr(keras_masking, name)
    own = [c for c in cls.__mro__ if c.__module__.startswith("keras_masking")]
    stock = [c for c in cls.__mro__ if c.__module__.startswith("keras.")]
    taken = {p for c in own if "__init__" in vars(c) for p in parameters(c)}
    given = {p: ARGUMENTS[p] for p in taken - {p for c in stock for p in parameters(c)}}
    layer = cls(**SPECIMENS[name].arguments | given)
    again = cls.from_config(layer.get_config())
    for parameter, value in given.items():
        found = getattr(again, parameter)
        if isinstance(value, keras.Initializer):
            value, found = value.get_config(), found.get_config()
        assert found == value


@needs["torch"]
@every_layer
def test_tensors_stay_on_their_device(name):
    import torch
    from torch.overrides import TorchFunctionMode
    from torch.utils._device import _device_constructors

    class Named(TorchFunctionMode):
        def __torch_function__(self, function, types, args=(), kwargs=None):
            kwargs = kwargs or {}
            assert function not in _device_constructors() or kwargs.get("device"), function
            assert function is not torch.Tensor.__array__  # which a tensor on a GPU does not have
            return function(*args, **kwargs)

    layer, x = make(name), ops.convert_to_tensor(X)
    layer(x)
    with Named():
        layer(x, mask=ops.convert_to_tensor(RIGHT))


def parameters(cls):
    return {
        name
        for name, parameter in inspect.signature(cls.__init__).parameters.items()
        if parameter.kind not in (parameter.VAR_POSITIONAL, parameter.VAR_KEYWORD)
    }


@pytest.mark.filterwarnings("ignore:.*float64")  # which jax has only when told
class TestPrecision:
    @every_layer
    @pytest.mark.parametrize(
        ("policy", "dtype", "rtol"),
        [
            ("float16", "float16", 1e-2),
            ("bfloat16", "bfloat16", 5e-2),
            ("mixed_float16", "float16", 1e-2),
            ("mixed_bfloat16", "bfloat16", 5e-2),
            ("float64", "float64", 1e-6),
        ],
    )
    def test_the_result_has_the_compute_dtype(self, name, policy, dtype, rtol):
        if policy == "float64" and name in FLOAT32.get(keras.backend.backend(), ()):
            dtype = "float32"
        x = with_padding(X, RIGHT, np.nan)
        result = make(name, dtype=policy)(x, mask=RIGHT)
        assert keras.backend.standardize_dtype(result.dtype) == dtype
        expected = array(make(name)(x, mask=RIGHT))
        assert_same(array(ops.cast(result, "float32")), expected, rtol=rtol, atol=rtol)


@needs_gradients
@pytest.mark.filterwarnings("ignore:.*softmax over axis")  # Keras, of a single step
class TestGradients:
    @pytest.mark.parametrize(
        ("name", "side", "value"), crossed(SPECIMENS, MASKS, [0, np.nan, np.inf, 1e30])
    )
    def test_padding_gets_none_and_valid_steps_what_they_get_alone(self, name, side, value):
        mask, gradient = MASKS[side], gradient_for(name)
        padded = gradient(with_padding(X, mask, value), mask)
        assert np.all(padded[~mask] == 0)
        for i, row in enumerate(mask):
            if row.any():
                alone = gradient(X[i : i + 1, row], np.ones((1, row.sum()), bool))
                assert_same(padded[i, row], alone[0])


@functools.cache
def gradient_for(name):
    return gradient_of(make(name))


@pytest.mark.filterwarnings("ignore:.*shuffle", "ignore:.*trainable weights")
class TestKerasItself(TestCase):
    """Keras's own test of a layer: serialization, dtype policies, masks, training."""

    def test_each_layer(self):
        for name, specimen in SPECIMENS.items():
            self.run_layer_test(
                getattr(keras_masking, name),
                init_kwargs=specimen.arguments,
                input_shape=(2, 4, 3),
                expected_output_shape=specimen.shape,
                expected_num_trainable_weights=specimen.weights,
                expected_num_non_trainable_weights=specimen.state,
                expected_num_seed_generators=0,
                expected_num_losses=0,
                supports_masking=True,
            )

    def test_layers_of_other_inputs(self):
        """The layers of attention: test_attention.py."""
        for layer_class, arguments, shape, expected in (
            (keras_masking.DropMask, {}, (2, 4, 3), (2, 4, 3)),
            (keras_masking.KeepMask, {}, ((2, 4, 3), (2, 4, 5)), (2, 4, 3)),
            (keras_masking.MaskedRepeatVector, {"n": 2}, (2, 4), (2, 2, 4)),
        ):
            self.run_layer_test(
                layer_class,
                init_kwargs=arguments,
                input_shape=shape,
                expected_output_shape=expected,
                expected_num_trainable_weights=0,
                expected_num_non_trainable_weights=0,
                expected_num_seed_generators=0,
                expected_num_losses=0,
                supports_masking=True,
            )


class TestFiles:
    """Each file that readers copy can be used alone."""

    def test_they_are_what_the_sources_make_now(self):
        paths = [*FILES, ROOT / copies.SIGNATURES]
        written = {path.relative_to(ROOT): path.read_text(encoding="utf-8") for path in paths}
        assert written == copies.render_all(ROOT), "run `make fix`"

    @pytest.mark.parametrize("path", [*FILES, *OTHER_FILES], ids=lambda path: path.stem)
    def test_it_imports_nothing_but_keras_and_numpy(self, path):
        tree = ast.parse(path.read_text(encoding="utf-8"))
        imported = {
            name.split(".")[0]
            for node in ast.walk(tree)
            for name in (
                [alias.name for alias in node.names]
                if isinstance(node, ast.Import)
                else [node.module or "."]
                if isinstance(node, ast.ImportFrom)
                else []
            )
        }
        assert imported <= {"keras", "numpy"}

    def test_copied_alone_they_work(self, tmp_path):
        """In an empty folder, in a fresh process in which the package cannot be imported."""
        for path in [*FILES, *OTHER_FILES]:
            shutil.copy(path, tmp_path)
        calls = OTHER_CALLS | {
            name: f".from_config({make(name).get_config()})(x, mask=mask)" for name in SPECIMENS
        }
        inputs = (
            f"mask = np.array({RIGHT.tolist()})\n"
            f"x = np.array({with_padding(X, RIGHT, 0).tolist()}, 'float32')\n"
            "x = keras.layers.Masking()(x)\n"
        )
        here = vars(keras_masking) | {"keras": keras, "np": np}
        exec(inputs, here)
        expected = [array(eval(f"{name}{call}", here)) for name, call in calls.items()]
        code = "import sys\nsys.modules['keras_masking'] = None\n"
        code += "import keras\nimport numpy as np\n" + inputs
        for name, call in calls.items():
            code += f"from {file_of(name)} import {name}\n"
            code += f"print(keras.ops.convert_to_numpy({name}{call}).tolist())\n"
        done = subprocess.run(
            [sys.executable, "-c", code],
            cwd=tmp_path,
            env=os.environ | {"KERAS_BACKEND": QUICK},
            capture_output=True,
            text=True,
        )
        assert done.returncode == 0, done.stderr
        printed = [ast.literal_eval(line) for line in done.stdout.splitlines()]
        assert {path.stem for path in [*FILES, *OTHER_FILES]} == set(map(file_of, calls))
        assert_same(map(np.array, printed), expected)


OTHER_CALLS = {
    "DropMask": "()(x)",
    "KeepMask": "()(x, mask=mask)",
    "MaskedGroupQueryAttention": "(2, 2, 1, kernel_initializer='ones')(x, x)",
    "MaskedMultiHeadAttention": "(2, 2, kernel_initializer='ones')(x, x)",
    "MaskedRepeatVector": "(2)(x[..., 0], mask=mask)",
    "SampleMeanLoss": "('mse')(0 * x, x)",
    "SampleMeanMetric": "(keras.losses.mean_squared_error)(0 * x, x)",
    "TokenMeanMetric": "(keras.losses.mean_squared_error)(0 * x, x)",
    "from_torch_key_padding_mask": "(mask)",
}
