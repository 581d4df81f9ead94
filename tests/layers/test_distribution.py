"""A model of the layers trains alike on one device and on two, each in a process of its own."""

import json
import os
import subprocess
import sys

import pytest
from conftest import needs

MODEL = """
import json
import os
import sys

import keras
import numpy as np
from keras import layers

import keras_masking as km


def batch():
    random = np.random.default_rng(0)
    ids = random.integers(1, 9, (8, 6))
    ids[np.arange(6) >= random.integers(1, 7, 8)[:, None]] = 0
    return ids, random.normal(size=(8, 1)).astype("float32")


def model():
    keras.utils.set_random_seed(0)
    ids = keras.Input((None,), dtype="int32")
    x = layers.Embedding(9, 8, mask_zero=True)(ids)
    x = km.MaskedConv1D(8, 3, padding="same")(x)
    x = layers.Add()([x, km.MaskedMultiHeadAttention(2, 4)(x, x)])
    x = km.MaskedGroupNormalization(2)(x)
    pooled = [km.MaskedMean()(x), km.MaskedMax()(x), km.MaskedAttentionPooling()(x)]
    model = keras.Model(ids, layers.Dense(1)(layers.Concatenate()(pooled)))
    model.compile("sgd", "mse", jit_compile=keras.backend.backend() == "jax")
    return model


def losses(model):
    history = model.fit(*batch(), batch_size=8, epochs=3, shuffle=False, verbose=0)
    return history.history["loss"]
"""
JAX = """
import jax

assert len(jax.devices()) == 2
alone = losses(model())
keras.distribution.set_distribution(keras.distribution.DataParallel())
print(json.dumps([alone, losses(model())]))
"""
STRATEGY = """
import tensorflow as tf

cpus = tf.config.list_physical_devices("CPU")
tf.config.set_logical_device_configuration(cpus[0], [tf.config.LogicalDeviceConfiguration()] * 2)
strategy = tf.distribute.MirroredStrategy(["CPU:0", "CPU:1"])
assert strategy.num_replicas_in_sync == 2
"""
TENSORFLOW = """
alone = losses(model())
with strategy.scope():
    both = model()
print(json.dumps([alone, losses(both)]))
"""
STATISTICS = """
def trained(x):
    masking, normalization = layers.Masking(), km.MaskedBatchNormalization(momentum=0.5)
    model = keras.Sequential([keras.Input((3, 1)), masking, normalization])
    model.compile("sgd", "mse", jit_compile=False)
    loss = model.fit(x, x * 0, batch_size=4, shuffle=False, verbose=0).history["loss"]
    assert np.isfinite(loss + [w.mean() for w in model.get_weights()]).all()
    return [normalization.moving_mean, normalization.moving_variance]


valid = np.array([[[1], [3], [0]], [[5], [0], [0]]], "float32")
found = [[float(v.numpy()[0]) for v in trained(valid)]]
for share in ([valid, valid * 0], [valid * 0, valid]):
    with strategy.scope():
        variables = trained(np.concatenate(share))
    replicas = zip(*(v.value.values for v in variables))
    found.append([[float(v[0]) for v in replica] for replica in replicas])
print(json.dumps(found))
"""


def run(code):
    """What the code prints, after the definitions of MODEL."""
    done = subprocess.run(
        [sys.executable, "-c", MODEL + code],
        env=os.environ | {"XLA_FLAGS": "--xla_force_host_platform_device_count=2"},
        capture_output=True,
        text=True,
    )
    assert done.returncode == 0, done.stderr
    return [json.loads(line) for line in done.stdout.splitlines() if line.startswith("[")]


@needs["jax"]
def test_data_parallel_on_two_jax_devices_has_the_losses_of_one():
    ((alone, both),) = run(JAX)
    assert both == pytest.approx(alone, rel=1e-4)
    assert len(set(alone)) == 3  # the weights have moved


@pytest.fixture(scope="module")
def mirrored():
    """What TensorFlow's strategy gives, of one process, since it takes long to start."""
    return run(STRATEGY + TENSORFLOW + STATISTICS)


@needs["tensorflow"]
def test_a_mirrored_strategy_on_two_cpus_has_the_losses_of_one(mirrored):
    alone, both = mirrored[0]
    assert both == pytest.approx(alone, rel=1e-4)
    assert len(set(alone)) == 3  # the weights have moved


@needs["tensorflow"]
def test_a_replica_with_nothing_but_padding_keeps_its_moving_statistics(mirrored):
    """Each has its own, as in `keras.layers.BatchNormalization`; a saved model has the first's."""
    alone, first, second = mirrored[1]
    untouched = [0, 1]
    assert alone == pytest.approx([1.5, 0.5 + 4 / 3])
    assert first == [pytest.approx(alone), untouched]
    assert second == [untouched, pytest.approx(alone)]
