"""Stands in for multiprocessing.dummy: its pool has no threads to start, and says so."""

from multiprocessing.pool import ThreadPool as Pool

__all__ = ["Pool"]
