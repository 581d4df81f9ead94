// What Material leaves out for readers without a mouse.
const search = document.querySelector(".md-search");
search?.setAttribute("aria-label", search.querySelector("input").placeholder);

const chinese = document.documentElement.lang === "zh";

// The other language, at the same heading.
for (const link of document.querySelectorAll("a.other-language"))
  link.addEventListener("click", () => (link.hash = location.hash));

// The contents and, on a phone, the search open by labels of hidden boxes, which no key reaches:
// buttons in place of them.
const names = { __drawer: chinese ? "目录" : "Contents", __search: search?.ariaLabel };
for (const [id, name] of Object.entries(names)) {
  const label = document.querySelector(`label.md-header__button[for=${id}]`);
  if (!label) continue;
  const box = document.getElementById(id);
  const button = document.createElement("button");
  button.type = "button";
  button.className = label.className;
  button.dataset.opens = id;
  button.append(label.querySelector("svg").cloneNode(true));
  button.setAttribute("aria-label", name);
  const tell = () => button.setAttribute("aria-expanded", box.checked);
  tell();
  box.addEventListener("change", tell);
  button.addEventListener("click", () => label.click());
  label.after(button);
}

// On a phone the closed search is outside the window.
const small = matchMedia("(max-width: 59.984375em)");
const searching = document.getElementById("__search");
const reach = () => {
  search.querySelector("input").tabIndex = small.matches && !searching.checked ? -1 : 0;
};
if (search) {
  reach();
  for (const changing of [small, searching]) changing.addEventListener("change", reach);
}

document.addEventListener("keydown", ({ key }) => {
  const box = document.getElementById("__drawer");
  if (key !== "Escape" || !box.checked) return;
  box.click();
  document.querySelector("[data-opens=__drawer]").focus();
});

// Material changes the colours on Enter; what looks like a button also answers Space.
document.querySelector("[data-md-component=palette]")?.addEventListener("keydown", (event) => {
  if (event.key !== " ") return;
  event.preventDefault();
  event.target.dispatchEvent(new KeyboardEvent("keydown", { key: "Enter", bubbles: true }));
});

// What is wider than the page scrolls by itself: show it, and let the keyboard reach it.
const wide = "article figure, .md-typeset__scrollwrap, article pre > code";
const hasMore = (x) => x.scrollLeft + x.clientWidth < x.scrollWidth - 1;
new ResizeObserver(() => {
  // read first, since each change makes the browser lay the page out again before the next read
  const found = [...document.querySelectorAll(wide)].map((x) => [
    x,
    hasMore(x),
    x.scrollWidth > x.clientWidth,
  ]);
  let tables = 0;
  for (const [scroller, more, scrolls] of found) {
    scroller.classList.toggle("more", more);
    if (!scrolls) continue;
    scroller.tabIndex = 0;
    if (!scroller.matches(".md-typeset__scrollwrap")) continue;
    scroller.setAttribute("role", "region");
    scroller.setAttribute("aria-label", `${chinese ? "表格" : "Table"} ${++tables}`);
  }
}).observe(document.querySelector("article"));
const scrolled = ({ target }) => {
  if (target.matches?.(wide)) target.classList.toggle("more", hasMore(target));
};
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
