"""Figures and tables, drawn from records and runs."""
