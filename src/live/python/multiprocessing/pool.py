"""Stands in for multiprocessing.pool: a pool that has no threads to start, and says so."""


class ThreadPool:
    def __init__(self, *args, **kwargs):
        raise NotImplementedError("no thread or process can be started in a page")
