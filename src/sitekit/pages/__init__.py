"""Reads and checks Markdown: pages, their blocks and outputs, both languages."""
