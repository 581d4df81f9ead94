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

// A folded file is copied without opening it.
const words = document.documentElement.lang === "zh" ? ["复制", "已复制"] : ["Copy", "Copied"];
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
