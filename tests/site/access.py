"""What every reader needs of a page, on a desktop and on a phone."""

# as Playwright makes a context of them
DESKTOP = {"viewport": {"width": 1300, "height": 900}, "color_scheme": "light"}
PHONE = {
    "viewport": {"width": 390, "height": 844},
    "color_scheme": "dark",
    "is_mobile": True,
    "has_touch": True,
}


def check_access(tab):
    """No finding of axe, and no sideways scrolling of the whole page."""
    overflow = tab.evaluate("document.documentElement.scrollWidth - innerWidth")
    assert overflow <= 0, f"{overflow} px too wide"
    # site.js marks what scrolls when the page is first drawn
    tab.evaluate("new Promise(drawn => requestAnimationFrame(() => setTimeout(drawn)))")
    run = "axe.run({resultTypes: ['violations']}).then(found => found.violations)"
    said = [
        f"{violation['id']}: {node['html'][:120]} {node['failureSummary']}"
        for violation in tab.evaluate(run)
        for node in violation["nodes"]
    ]
    assert not said, "\n".join(said)
