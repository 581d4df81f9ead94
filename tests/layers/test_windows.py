"""What holds for every layer that moves a window over the steps."""

import functools
from typing import NamedTuple

import keras
import numpy as np
import pytest
from bad_input import (
    accepts_numbers_as_truth,
    refuses_bad_masks,
    refuses_ragged_and_strings,
)
from conftest import (
    EXAMPLES,
    array,
    gradient,
    gradient_of,
    leaking_probes,
    needs,
    needs_gradients,
    some,
)
from hypothesis import given, settings
from hypothesis.extra import numpy as hnp
from keras import layers, ops
from keras_twin import ours_takes_its_place_in_a_saved_model

import keras_masking
from keras_masking import MaskedMean

# Keras, where it loads weights
pytestmark = pytest.mark.filterwarnings("ignore:.*__array__ implementation")


class Windows(NamedTuple):
    """A layer with windows: its name without `Masked`, and its arguments."""

    name: str
    options: dict

    def ours(self, **options):
        return getattr(keras_masking, f"Masked{self.name}")(**self.options, **options)

    def stock(self, **options):
        return getattr(layers, self.name)(**self.options, **options)

    def __hash__(self):
        return hash(named(self))


CONVOLUTION = {"filters": 2, "bias_initializer": "ones"}
WINDOWS = [
    Windows("Conv1D", CONVOLUTION | options)
    for options in (
        {"kernel_size": 3},
        {"kernel_size": 3, "padding": "same"},
        {"kernel_size": 2, "padding": "causal", "activation": "sigmoid"},
        {"kernel_size": 4, "padding": "same", "strides": 3},
        {"kernel_size": 3, "padding": "valid", "strides": 2},
        {"kernel_size": 3, "padding": "causal", "strides": 2},
        {"kernel_size": 3, "padding": "same", "dilation_rate": 2},
    )
] + [
    Windows(name, options)
    for name in ("MaxPooling1D", "AveragePooling1D")
    for options in (
        {"pool_size": 2},
        {"pool_size": 3, "padding": "same", "strides": 1},
        {"pool_size": 4, "padding": "same", "strides": 3},
    )
]
WINDOWS += [
    Windows(name, {"bias_initializer": "ones"} | options)
    for name, options in (
        ("DepthwiseConv1D", {"kernel_size": 3, "padding": "same", "dilation_rate": 2}),
        ("DepthwiseConv1D", {"kernel_size": 4, "padding": "same", "strides": 3}),
        ("SeparableConv1D", {"filters": 2, "kernel_size": 3}),
        ("SeparableConv1D", {"filters": 2, "kernel_size": 4, "padding": "same", "strides": 3}),
        ("Conv1DTranspose", {"filters": 2, "kernel_size": 4, "padding": "same", "strides": 3}),
        ("Conv1DTranspose", {"filters": 2, "kernel_size": 2, "strides": 4, "output_padding": 1}),
    )
]


def named(windows):
    return "-".join([windows.name, *map(str, windows.options.values())])


each = pytest.mark.parametrize("windows", WINDOWS, ids=named)
# one with strides, whose windows lie otherwise for each length, stands for the others
STRIDED = [w for w in WINDOWS if w.options.get("strides") == 3]
strided = pytest.mark.parametrize("windows", STRIDED, ids=lambda w: w.name)


def skipped_where_keras_is_wrong(windows):
    if keras.backend.backend() == "torch" and windows in STRIDED and "Average" in windows.name:
        pytest.skip("Keras on torch repeats a step where `same` adds more on one side")


FIRST, LENGTH = np.array([[0], [5], [2], [3]]), np.array([[7], [6], [5], [7]])
MASK = (np.arange(11) >= FIRST) & (np.arange(11) < FIRST + LENGTH)
X = np.random.default_rng(0).normal(size=(4, 11, 2)).astype("float32")
PADDED = np.where(MASK[..., None], X, np.float32(np.nan))


def in_graph(function):
    """Compiled by jax, whose eager calls compile each operation for each shape."""
    if keras.backend.backend() != "jax":
        return function
    import jax

    return jax.jit(lambda x, mask: function(x, mask=mask))


def runner(layer):
    """A function to the result and its mask; masked entries are 0, always."""

    def both(x, mask):
        return layer(x, mask=mask), layer.compute_mask(x, mask)

    def run(x, mask):
        result, left = map(array, both(ops.array(x), ops.array(mask)))
        assert result.shape[:2] == left.shape
        assert np.all(result[~left] == 0)
        return result, left

    both = in_graph(both)
    return run


@functools.cache
def pair_of(windows):
    """Ours and that of Keras, with the same weights."""
    pair = windows.ours(), windows.stock()
    for layer in pair:
        layer.build((None, None, 2))
    pair[0].set_weights(pair[1].get_weights())
    return pair


@functools.cache
def run_of(windows):
    """Kept, because jax compiles each function anew."""
    return runner(pair_of(windows)[0])


@each
def test_each_sequence_gets_what_the_layer_of_keras_gives_it_alone(windows):
    skipped_where_keras_is_wrong(windows)
    result, left = run_of(windows)(PADDED, MASK)
    stock = pair_of(windows)[1]
    alone = in_graph(lambda x, mask: stock(x))
    for i, kept in enumerate(MASK):
        expected = array(alone(X[i : i + 1, kept], mask=None))[0]
        np.testing.assert_allclose(result[i, left[i]], expected, rtol=1e-5, atol=1e-6)


@each
def test_without_padding_it_is_the_layer_of_keras(windows):
    ours, stock = pair_of(windows)
    expected = array(stock(X))
    np.testing.assert_array_equal(array(ours(X)), expected)
    result, left = run_of(windows)(X, np.ones((4, 11), bool))
    assert left.all()
    np.testing.assert_allclose(result, expected, rtol=1e-5, atol=1e-6)


def convolved(windows, stock, steps):
    """What a window gives whose steps are these, None for padding."""
    *kernels, bias = map(array, stock.weights)
    steps = [np.zeros(2) if x is None else x for x in steps]
    if windows.name == "Conv1D":
        total = np.einsum("kc,kcf->f", steps, *kernels)
    else:
        total = np.einsum("kc,kcm->cm", steps, kernels[0]).reshape(-1)
        total = total @ kernels[1][0] if windows.name == "SeparableConv1D" else total
    return array(stock.activation(ops.array(total + bias)))


def pooled(summary):
    return lambda windows, stock, steps: summary([x for x in steps if x is not None], axis=0)


ORACLES = {
    "Conv1D": convolved,
    "DepthwiseConv1D": convolved,
    "SeparableConv1D": convolved,
    "MaxPooling1D": pooled(np.max),
    "AveragePooling1D": pooled(np.mean),
}


@pytest.mark.parametrize("windows", some([w for w in WINDOWS if w.name in ORACLES]), ids=named)
def test_any_mask_gives_what_a_plain_loop_gives(windows):
    ours, stock = pair_of(windows)
    alike = windows.ours(mask_rule="all")
    alike.build((None, None, 2))
    alike.set_weights(stock.get_weights())
    runs = {"any": run_of(windows), "all": runner(alike)}

    @settings(deadline=None, max_examples=EXAMPLES, derandomize=True)
    @given(mask=hnp.arrays(bool, (3, 8)))
    def check(mask):
        for rule, run in runs.items():
            result, left = run(np.where(mask[..., None], X[:3, :8], np.float32(np.nan)), mask)
            for i, row in enumerate(mask):
                seen = list(outputs_of(windows, row, rule))
                assert left[i].sum() == len(seen)
                for value, taken in zip(result[i, left[i]], seen, strict=True):
                    steps = [X[i, t] if t in range(8) and row[t] else None for t in taken]
                    expected = ORACLES[windows.name](windows, stock, steps)
                    np.testing.assert_allclose(value, expected, rtol=1e-4, atol=1e-5)

    check()


def outputs_of(windows, row, rule):
    """The steps in the window of each output; of a sequence alone, without its padding."""
    steps = np.flatnonzero(row)
    if not len(steps):
        return
    length = steps[-1] - steps[0] + 1
    size, strides, dilation, padding = geometry(windows)
    width = dilation * (size - 1) + 1
    count = (length - width) // strides + 1 if padding == "valid" else -(-length // strides)
    before = {"valid": 0, "causal": width - 1}.get(
        padding, max((count - 1) * strides + width - length, 0) // 2
    )
    for output in range(count):
        start = steps[0] + output * strides - before
        taken = range(start, start + width, dilation)
        if {"any": any, "all": all}[rule](t in steps for t in taken):
            yield taken


def geometry(windows):
    options = windows.options
    size = options.get("kernel_size", options.get("pool_size"))
    strides = options.get("strides", options.get("pool_size", 1))
    return size, strides, options.get("dilation_rate", 1), options.get("padding", "valid")


@strided
def test_more_padding_changes_nothing(windows):
    run = run_of(windows)
    result, left = run(X, MASK)
    for before in (0, 1, 5):
        width = [(0, 0), (before, 5 - before)]
        x = np.pad(X, [*width, (0, 0)], constant_values=np.nan)
        longer, longer_left = run(x, np.pad(MASK, width))
        np.testing.assert_allclose(longer[longer_left], result[left], rtol=1e-5, atol=1e-6)


@strided
def test_fully_padded_rows_and_empty_batches(windows):
    run = run_of(windows)
    result, left = run(X * np.nan, np.zeros((4, 11), bool))
    assert not left.any()
    result, left = run(X[:0], np.zeros((0, 11), bool))
    assert result.shape == (0, *array(windows.stock()(X)).shape[1:])


@needs_gradients
@strided
def test_gradients_are_those_of_each_sequence_alone(windows):
    skipped_where_keras_is_wrong(windows)
    ours, stock = pair_of(windows)
    padded = gradient(ours, PADDED, MASK)
    assert np.all(padded[~MASK] == 0)
    alone = gradient_of(lambda x, mask: stock(x))
    for i, kept in enumerate(MASK):
        expected = alone(X[i : i + 1, kept], None)[0]
        np.testing.assert_allclose(padded[i, kept], expected, rtol=1e-4, atol=1e-5)


@strided
def test_channels_first_is_the_same_turned_round(windows):
    ours, _ = pair_of(windows)
    turned = windows.ours(data_format="channels_first")
    turned.build((None, 2, None))
    turned.set_weights(ours.get_weights())
    result = array(in_graph(turned)(np.swapaxes(PADDED, 1, 2), mask=MASK))
    expected = run_of(windows)(PADDED, MASK)[0]
    np.testing.assert_allclose(np.swapaxes(result, 1, 2), expected, rtol=1e-5)


@needs["tensorflow"]
@strided
@pytest.mark.parametrize(("shape", "xla"), [((None, None, 2), False), ((4, 11, 2), True)])
def test_tensorflow_graphs_give_what_eager_calls_give(windows, shape, xla):
    import tensorflow as tf

    ours, _ = pair_of(windows)
    signature = [tf.TensorSpec(shape), tf.TensorSpec(shape[:2], tf.bool)]

    @tf.function(input_signature=signature, jit_compile=xla)
    def compiled(x, mask):
        return ours(x, mask=mask), ours.compute_mask(x, mask)

    for result, known in zip(compiled(PADDED, MASK), run_of(windows)(PADDED, MASK), strict=True):
        np.testing.assert_allclose(array(result), known, rtol=1e-5, atol=1e-6)


@strided
def test_it_takes_the_place_of_the_layer_of_keras_in_a_saved_model(windows, tmp_path):
    ours_takes_its_place_in_a_saved_model(windows.stock(), tmp_path, X.shape)


@strided
def test_half_precision(windows):
    ours, _ = pair_of(windows)
    half = windows.ours(dtype="mixed_float16")
    half.build((None, None, 2))
    half.set_weights(ours.get_weights())
    result = runner(half)(PADDED, MASK)[0]
    assert result.dtype == "float16"
    expected = run_of(windows)(PADDED, MASK)[0]
    np.testing.assert_allclose(result, expected, rtol=1e-2, atol=1e-2)


@pytest.mark.parametrize("windows", some(STRIDED), ids=lambda w: w.name)
@pytest.mark.parametrize("side", ["left", "right"])
def test_a_model_of_it_has_no_leaks(windows, side):
    mask = np.arange(11) < [[9], [6]]
    mask = mask[:, ::-1] if side == "left" else mask
    inputs = keras.Input((None, 2))
    outputs = MaskedMean()(windows.ours()(layers.Masking()(inputs)))
    x = np.where(mask[..., None], X[:2], 0)
    assert leaking_probes(keras.Model(inputs, outputs), x) == set()


@pytest.mark.parametrize("windows", WINDOWS, ids=named)
def test_a_window_as_long_as_the_batch_has_the_mask_in_a_model_that_a_call_has(windows):
    size = windows.options.get("kernel_size") or windows.options["pool_size"]
    mask = np.arange(size) < [[size], [1]]
    inputs = keras.Input((None, 2))
    layer = windows.ours()
    model = keras.Model(inputs, layer(layers.Masking()(inputs))._keras_mask)
    both = in_graph(lambda x, mask: (model(x), layer.compute_mask(x, mask)))
    x = np.where(mask[..., None], X[:2, :size], 0)
    np.testing.assert_array_equal(*map(array, both(ops.array(x), mask=ops.array(mask))))


@strided
def test_bad_input_is_refused(windows):
    ours = windows.ours()
    ours.build((None, None, 4))
    refuses_bad_masks(ours)
    with pytest.raises(ValueError, match=r"one entry per step.* mask of shape \(4, 11, 2\)"):
        windows.ours()(X, mask=np.ones((4, 11, 2), bool))
    with pytest.raises(ValueError, match="`mask_rule` must be .* Received: mask_rule='some'"):
        windows.ours(mask_rule="some")


@strided
def test_zeros_and_ones_are_a_mask(windows):
    ours = windows.ours()
    accepts_numbers_as_truth(ours, np.array([[True, True, False], [False, False, False]]))


@needs["tensorflow"]
@strided
def test_ragged_tensors_and_strings_are_refused(windows):
    refuses_ragged_and_strings(windows.ours())
