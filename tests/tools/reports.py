"""What `find_leaks` says of each known fault and of its healthy twin, measured once."""

import warnings
from functools import cache

import keras

from keras_masking import LeakReport, find_leaks
from sitekit.measured.faults.fault import Fault
from sitekit.measured.faults.known import FAULTS

CASES = {fault.name: fault for group in FAULTS.values() for fault in group}
# Keras on torch normalizes over the features instead of over time, or raises
HERE = [
    name
    for name in CASES
    if (keras.backend.backend(), name) != ("torch", "layer-normalization-over-time")
]


@cache
def report(fault: Fault, healthy: bool = False) -> LeakReport:
    with warnings.catch_warnings():
        warnings.filterwarnings("ignore", message=".*does not support masking.*")
        return find_leaks(fault.build(healthy), fault.inputs, fault.mask)
