"""Stands in for multiprocessing: no process can be started in a page.

Keras imports `multiprocessing.pool` and `multiprocessing.dummy` where it reads data from files.
"""


def cpu_count() -> int:
    return 1
