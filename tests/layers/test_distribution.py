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
    model.compile("sgd", "mse", jit_compile=False)
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
TENSORFLOW = """
import tensorflow as tf

cpus = tf.config.list_physical_devices("CPU")
tf.config.set_logical_device_configuration(cpus[0], [tf.config.LogicalDeviceConfiguration()] * 2)
alone = losses(model())
strategy = tf.distribute.MirroredStrategy(["CPU:0", "CPU:1"])
assert strategy.num_replicas_in_sync == 2
with strategy.scope():
    both = model()
print(json.dumps([alone, losses(both)]))
"""


def run(code):
    """The losses of three epochs, on one device and on two."""
    done = subprocess.run(
        [sys.executable, "-c", MODEL + code],
        env=os.environ | {"XLA_FLAGS": "--xla_force_host_platform_device_count=2"},
        capture_output=True,
        text=True,
    )
    assert done.returncode == 0, done.stderr
    return json.loads(done.stdout.splitlines()[-1])


@needs["jax"]
def test_data_parallel_on_two_jax_devices_has_the_losses_of_one():
    alone, both = run(JAX)
    assert both == pytest.approx(alone, rel=1e-4)
    assert len(set(alone)) == 3  # the weights have moved


@needs["tensorflow"]
def test_a_mirrored_strategy_on_two_cpus_has_the_losses_of_one():
    alone, both = run(TENSORFLOW)
    assert both == pytest.approx(alone, rel=1e-4)
    assert len(set(alone)) == 3  # the weights have moved
