"""Keras imports `optree.utils`, and calls nothing in it."""
