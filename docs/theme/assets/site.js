// What Material leaves out for readers without a mouse.
const search = document.querySelector(".md-search");
search?.setAttribute("aria-label", search.querySelector("input").placeholder);

// What is wider than the page scrolls by itself: let the keyboard reach it.
new ResizeObserver(() => {
  for (const scroller of document.querySelectorAll("article figure, .md-typeset__scrollwrap")) {
    if (scroller.scrollWidth <= scroller.clientWidth) continue;
    scroller.tabIndex = 0;
    if (scroller.localName === "figure") continue;
    scroller.setAttribute("role", "region");
    scroller.setAttribute("aria-label", document.documentElement.lang === "zh" ? "表格" : "Table");
  }
}).observe(document.querySelector("article"));
