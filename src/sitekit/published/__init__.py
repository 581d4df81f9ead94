"""Builds the site, serves it and takes its picture."""
