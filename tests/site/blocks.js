// Runs the code that blocks.json lists, as a page does, and posts what each printed.
import { run } from "./site/live/python.js";

for (const code of await (await fetch("blocks.json")).json()) {
  const printed = { out: "", error: "" };
  const print = (stream, text) => (printed[stream] += text);
  let began;
  const ended = await run(code, { print, begin: () => (began = performance.now()) }).catch(
    (error) => ({ status: "lost", error: String(error) }),
  );
  const { status, error, figures = [] } = ended;
  const seconds = (performance.now() - began) / 1000;
  const answer = { status, error, figures: figures.map(({ kind }) => kind), printed, seconds };
  await fetch("answer", { method: "POST", body: JSON.stringify(answer) });
}
