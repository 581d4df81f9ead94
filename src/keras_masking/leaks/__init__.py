"""Whether padding reaches a model's results: probes, what they change, and where it shows first."""

from keras_masking.leaks.finding import assert_no_leaks, find_leaks

__all__ = ["assert_no_leaks", "find_leaks"]
