// What Material leaves out for readers without a mouse.
const search = document.querySelector(".md-search");
search?.setAttribute("aria-label", search.querySelector("input").placeholder);

const chinese = document.documentElement.lang === "zh";

// The other language, at the same heading.
for (const link of document.querySelectorAll("a.other-language"))
  link.addEventListener("click", () => (link.hash = location.hash));

// What is wider than the page scrolls by itself: show it, and let the keyboard reach it.
const wide = "article figure, .md-typeset__scrollwrap, article pre > code";
const showMore = (x) =>
  x.classList.toggle("more", x.scrollLeft + x.clientWidth < x.scrollWidth - 1);
new ResizeObserver(() => {
  for (const scroller of document.querySelectorAll(wide)) {
    showMore(scroller);
    if (scroller.scrollWidth <= scroller.clientWidth) continue;
    scroller.tabIndex = 0;
    if (!scroller.matches(".md-typeset__scrollwrap")) continue;
    scroller.setAttribute("role", "region");
    scroller.setAttribute("aria-label", chinese ? "表格" : "Table");
  }
}).observe(document.querySelector("article"));
const scrolled = ({ target }) => target.matches?.(wide) && showMore(target);
document.addEventListener("scroll", scrolled, { capture: true, passive: true });

// A folded file is copied without opening it.
const words = chinese ? ["复制", "已复制"] : ["Copy", "Copied"];
for (const file of document.querySelectorAll(".file")) {
  const button = document.createElement("button");
  button.type = "button";
  button.textContent = words[0];
  button.setAttribute("aria-label", `${words[0]} ${file.querySelector("summary code").textContent}`);
  button.setAttribute("aria-live", "polite");
  button.addEventListener("click", async () => {
    await navigator.clipboard.writeText(file.querySelector("pre > code").textContent);
    button.textContent = words[1];
    setTimeout(() => (button.textContent = words[0]), 2000);
  });
  file.append(button);
}
