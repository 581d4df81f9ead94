"""Pyodide starts no threads: what a pool is given runs at once, in the thread that gives it."""

import concurrent.futures
from concurrent.futures import Executor, Future


class AtOnce(Executor):
    def __init__(self, *args, **kwargs):
        pass

    def submit(self, fn, /, *args, **kwargs):
        future = Future()
        try:
            future.set_result(fn(*args, **kwargs))
        except Exception as error:
            future.set_exception(error)
        return future


def mend() -> None:
    concurrent.futures.ThreadPoolExecutor = AtOnce
