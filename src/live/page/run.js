// Run, Edit, Stop and Reset on the blocks of a page that run in the browser. Nothing more is loaded
// before the first Run or Edit.
const chinese = document.documentElement.lang === "zh";
export const language = chinese ? "zh" : "en";
const SHOWN = 100_000; // characters
const TEXTS = {
  run: ["Run", "运行"],
  edit: ["Edit", "编辑"],
  stop: ["Stop", "停止"],
  reset: ["Reset", "还原"],
  loading: ["Loading Python and Keras …", "正在加载 Python 和 Keras……"],
  loaded: ["{} of {} MB", "{} / {} MB"],
  starting: ["Starting Python …", "正在启动 Python……"],
  running: ["Running …", "正在运行……"],
  same: ["Same output as above · {} s", "输出与上面相同 · {} 秒"],
  differs: ["Output differs from the one above · {} s", "输出与上面不同 · {} 秒"],
  done: ["Done · {} s", "完成 · {} 秒"],
  silent: ["Done, and printed nothing · {} s", "完成，没有输出 · {} 秒"],
  error: ["Ended with an error · {} s", "运行出错 · {} 秒"],
  exit: ["Exited with {}", "程序退出：{}"],
  output: ["Stopped: it printed too much", "已停止：输出太多"],
  stopped: ["Stopped", "已停止"],
  time: ["Stopped after {} s", "运行超过 {} 秒，已停止"],
  ended: ["Python itself ended, and starts again at the next Run: {}", "Python 本身退出了，下次运行时重新启动：{}"],
  lost: ["Could not be loaded; try again: {}", "加载失败，请重试：{}"],
  cut: ["… {} more characters", "……后面还有 {} 个字符"],
  yours: ["Your output", "你的输出"],
  errors: ["Warnings and errors", "警告与错误"],
  figure: ["Figure: {}", "图：{}"],
  not: ["Does not run in the page: {}", "不能在网页里运行：{}"],
  here: ["In the page: {}", "在网页里：{}"],
  code: ["Code; Escape, then Tab leaves it", "代码，先按 Escape 再按 Tab 离开"],
};
/** What says a text of these in the language of the page, with values for its `{}`. */
export const saying = (texts) => (name, ...values) =>
  texts[name][+chinese].replace(/\{\}/g, () => values.shift());
export const say = saying(TEXTS);
const load = (name) => import(new URL(name, import.meta.url));

export function make(tag, props = {}, ...children) {
  const made = Object.assign(document.createElement(tag), props);
  made.append(...children);
  return made;
}

/** The lines of `text` that are not, in their order, among those of `other`. */
function differing(text, other) {
  const [a, b] = [text, other].map((x) => x.split("\n"));
  if (a.length * b.length > 250_000) return a.map((line, i) => line !== b[i]);
  const common = a.map(() => new Uint16Array(b.length + 1));
  common.push(new Uint16Array(b.length + 1));
  for (let i = a.length; i--; )
    for (let j = b.length; j--; )
      common[i][j] = a[i] === b[j] ? common[i + 1][j + 1] + 1 : Math.max(common[i + 1][j], common[i][j + 1]);
  const differs = a.map(() => true);
  for (let i = 0, j = 0; i < a.length && j < b.length; )
    if (a[i] === b[j]) (differs[i++] = false), j++;
    else if (common[i + 1][j] >= common[i][j + 1]) i++;
    else j++;
  return differs;
}

/** Lines of output, those marked that differ from what is documented. */
export function printed(text, documented) {
  const code = make("code");
  const shown = text.slice(0, SHOWN);
  const differs = documented === undefined ? [] : differing(shown, documented);
  shown.split("\n").forEach((line, i) => {
    code.append(i ? "\n" : "", differs[i] && line ? make("mark", { textContent: line }) : line);
  });
  if (text.length > SHOWN) code.append(`\n${say("cut", text.length - SHOWN)}`);
  return make("pre", {}, code);
}

/** What a reader's code drew, where no script in it runs. */
export function picture(figure) {
  const { name, kind, source } = figure;
  const title = say("figure", name);
  if (kind === "svg") {
    const src = `data:image/svg+xml,${encodeURIComponent(source)}`;
    return make("img", { alt: title, src });
  }
  const frame = make("iframe", { title, src: new URL("picture.html", import.meta.url) });
  frame.sandbox = "allow-scripts";
  addEventListener("message", function hear({ source: from, data }) {
    if (!frame.isConnected) return removeEventListener("message", hear);
    if (from !== frame.contentWindow) return;
    if (data) frame.height = data;
    else from.postMessage(figure.source, "*"); // it may have changed since
  });
  return frame;
}

/** Change what a status says, which screen readers read aloud each time. */
export function tell(status, text) {
  if (status.textContent !== text) status.textContent = text;
}

/** What shows how far a load is, beside its status. */
export const meter = () =>
  make("span", { hidden: true }, make("progress", { ariaLabel: say("loading") }), make("small"));

/** What shows in both how many bytes have come. */
export const loading = (bytes, status) => (loaded, total) => {
  bytes.hidden = loaded === total;
  const [bar, amount] = bytes.children;
  Object.assign(bar, { value: loaded, max: total });
  amount.textContent = say("loaded", ...[loaded, total].map((x) => (x / 1e6).toFixed(1)));
  tell(status, say(bytes.hidden ? "starting" : "loading"));
};

function block(element) {
  const pre = element.querySelector("pre");
  const written = pre.querySelector("code").textContent;
  const output = element.nextElementSibling?.matches(".language-output")
    ? element.nextElementSibling
    : undefined;
  const documented = output?.querySelector("code").textContent;
  const bar = make("div", { className: "run" });
  element.append(bar);
  if (element.dataset.notHere) {
    bar.append(make("small", { textContent: say("not", element.dataset.notHere) }));
    return;
  }

  let editor, result, running = false;
  const button = (name, action) => {
    const made = make("button", { type: "button", textContent: say(name) });
    made.addEventListener("click", action);
    bar.append(made);
    return made;
  };
  const run = button("run", start);
  const edit = button("edit", open);
  const stop = button("stop", async () => (await load("python.js")).stop());
  const reset = button("reset", restore);
  const bytes = meter();
  const status = make("small", { role: "status" });
  bar.append(bytes, status);
  stop.hidden = reset.hidden = true;

  function show(...children) {
    result?.remove();
    result = children.length ? make("div", { className: "ran" }, ...children) : undefined;
    if (result) (output ?? element).after(result);
  }

  async function start() {
    if (running) return;
    running = true;
    run.ariaDisabled = true; // and it keeps the focus
    stop.hidden = false;
    reset.hidden = true;
    show();
    status.textContent = say("starting");
    let began, out = "", errors = "", live;
    const print = (stream, text) => {
      if (stream === "out") out += text;
      else errors += text;
      if (out.length + errors.length > SHOWN) return;
      if (!live?.isConnected) show((live = make("pre", {}, make("code"))));
      live.firstChild.append(text);
    };
    try {
      const python = await load("python.js");
      const ended = await python.run(editor?.text() ?? written, {
        language,
        load: loading(bytes, status),
        begin() {
          began = performance.now();
          status.textContent = say("running");
        },
        print,
      });
      const seconds = ((performance.now() - began) / 1000).toFixed(1);
      conclude(ended, out, errors, seconds);
    } catch (error) {
      show();
      status.textContent = say("lost", error.message);
    }
    running = run.ariaDisabled = reset.hidden = false;
    if (document.activeElement === stop) run.focus();
    stop.hidden = bytes.hidden = true;
  }

  function conclude({ status: how, error, figures }, out, errors, seconds) {
    const same = how === "done" && out === (documented ?? "");
    const compared = how === "done" && documented !== undefined;
    const name = compared ? (same ? "same" : "differs") : how === "done" && !out ? "silent" : how;
    status.textContent = ["exit", "ended", "time"].includes(how)
      ? say(how, error)
      : say(name, seconds);
    const { here } = element.dataset;
    const parts = [];
    if (out && !same) parts.push(make("p", { textContent: say("yours") }), printed(out, documented));
    const edited = editor && editor.text().trimEnd() !== written.trimEnd();
    if (name === "differs" && here && !edited) parts.push(make("p", { textContent: say("here", here) }));
    const wrong = errors + (how === "error" ? error : "");
    if (wrong) parts.push(make("p", { textContent: say("errors") }), printed(wrong));
    parts.push(...figures.map(picture));
    show(...parts);
  }

  async function open() {
    reset.hidden = running;
    edit.ariaDisabled = true;
    try {
      const { edited } = await load("editor.js");
      editor ??= edited(pre, {
        text: written.trimEnd(),
        label: say("code"),
        size: getComputedStyle(pre.querySelector("code")).fontSize,
      });
      editor.focus();
    } catch (error) {
      status.textContent = say("lost", error.message);
    }
    edit.ariaDisabled = false;
  }

  function restore() {
    editor?.close();
    editor = undefined;
    show();
    status.textContent = "";
    reset.hidden = true;
    run.focus();
  }

  element.addEventListener("keydown", (event) => {
    if (event.key !== "Enter" || !(event.ctrlKey || event.metaKey)) return;
    event.preventDefault();
    start();
  });
}

document.querySelectorAll("[data-run]").forEach(block);
