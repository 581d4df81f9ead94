// What Material leaves out for readers without a mouse.
const chinese = document.documentElement.lang.startsWith("zh");

document.querySelector(".md-search")
  ?.setAttribute("aria-label", document.querySelector(".md-search__input").placeholder);

// A figure or table wider than the page scrolls by itself: let the keyboard reach it.
const scrollers = document.querySelectorAll("figure.masking, .md-typeset__scrollwrap");
const watch = new ResizeObserver((entries) => {
  for (const { target } of entries) {
    if (target.scrollWidth > target.clientWidth) {
      target.tabIndex = 0;
      if (target.localName !== "figure") {
        target.setAttribute("role", "region");
        target.setAttribute("aria-label", chinese ? "表格" : "Table");
      }
    } else {
      for (const name of ["tabindex", "role", "aria-label"])
        if (target.localName !== "figure" || name === "tabindex") target.removeAttribute(name);
    }
  }
});
scrollers.forEach((scroller) => watch.observe(scroller));
