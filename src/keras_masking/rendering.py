def _row(c):
    masks = [None if t.mask is None else t.mask.astype(int).tolist() for t in c.outputs]
    name = c.path if c.kind != "gap" else f"GAP {c.before} -> {c.after}"
    return f"{c.index:3} {'  ' * c.depth}{name} [{c.class_name}] {[t.shape for t in c.outputs]} {masks} {c.events} taken={[t.name for t in c.inputs if t.taken]} cause={c.cause} x{c.times}"


def terminal(t):
    return "\n".join(map(_row, t.calls))
