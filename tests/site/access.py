"""What every reader needs of a page, on a desktop and on a phone."""

DESKTOP = {"width": 1280, "height": 900}
PHONE = {"width": 390, "height": 844}


def check_access(tab, scheme, viewport):
    """No serious finding of axe, and no sideways scrolling of the whole page."""
    tab.set_viewport_size(viewport)
    tab.emulate_media(color_scheme=scheme)
    name = "slate" if scheme == "dark" else "default"
    tab.wait_for_selector(f"body[data-md-color-scheme={name}]")
    where = f"{scheme}, {viewport['width']} px"
    overflow = tab.evaluate("document.documentElement.scrollWidth - innerWidth")
    assert overflow <= 0, f"{where}: {overflow} px too wide"
    found = tab.evaluate("axe.run({resultTypes: ['violations']})")["violations"]
    serious = [
        f"{where}: {violation['id']}: {node['html'][:120]} {node['failureSummary']}"
        for violation in found
        if violation["impact"] in ("serious", "critical")
        for node in violation["nodes"]
    ]
    assert not serious, "\n".join(serious)
