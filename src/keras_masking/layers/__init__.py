"""One self-contained file per layer: each needs only keras and numpy."""
