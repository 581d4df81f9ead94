"""Mends a model where padding leaks: a copy with other layers, measured, and proven the same."""

from keras_masking.repair.repairing import repair
from keras_masking.repair.result import Change, Left, Repair

__all__ = ["Change", "Left", "Repair", "repair"]
