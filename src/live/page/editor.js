// The editor of a block or of the playground: Python in colours, and the keys that editors have.
import { defaultKeymap, history, historyKeymap, indentWithTab } from "@codemirror/commands";
import { python } from "@codemirror/lang-python";
import { bracketMatching, HighlightStyle, indentOnInput, indentUnit, syntaxHighlighting } from "@codemirror/language";
import { EditorState } from "@codemirror/state";
import { drawSelection, EditorView, keymap } from "@codemirror/view";
import { tags } from "@lezer/highlight";

const COLOURS = HighlightStyle.define(
  Object.entries({
    keyword: [tags.keyword],
    string: [tags.string],
    number: [tags.number],
    constant: [tags.bool, tags.null],
    comment: [tags.comment],
    function: [tags.function(tags.definition(tags.variableName)), tags.definition(tags.className)],
    operator: [tags.operator],
  }).map(([name, tag]) => ({ tag, color: `var(--md-code-hl-${name}-color)` })),
);

const LOOK = EditorView.theme({
  "&": { color: "var(--md-code-fg-color)", backgroundColor: "var(--md-code-bg-color)" },
  "&.cm-focused": { outline: "2px solid var(--link)", outlineOffset: "-2px" },
  ".cm-scroller": { fontFamily: "var(--md-code-font-family)", lineHeight: "1.5" },
  ".cm-content": { padding: "0.7em 0", caretColor: "var(--ink)" },
  ".cm-line": { padding: "0 1em" },
  ".cm-cursor": { borderLeftColor: "var(--ink)" },
  "&.cm-focused > .cm-scroller > .cm-selectionLayer .cm-selectionBackground, .cm-selectionBackground": {
    background: "var(--link-tint)",
  },
  "&.cm-focused .cm-matchingBracket": { backgroundColor: "var(--link-tint)" },
});

/**
 * Put an editor in the place of an element, which is hidden.
 *
 * @param {HTMLElement} element
 * @param {object} options
 * @param {string} options.text
 * @param {string} options.label its name
 * @param {string} options.size of the font
 * @param {[number, number]} [options.selected] from where to where
 * @param {(text: string) => void} [options.change] told what was edited
 * @param {number} [options.most] characters
 * @param {() => void} [options.full] told of an edit that would make more, and is not made
 */
export function edited(element, { text, label, size, selected = [0, 0], change, most = Infinity, full }) {
  const host = document.createElement("div");
  element.after(host);
  element.hidden = true;
  // in a shadow its styles are no <style>, which the page's policy would refuse
  const root = host.attachShadow({ mode: "open" });
  const view = new EditorView({
    parent: root,
    root,
    state: EditorState.create({
      doc: text,
      selection: { anchor: selected[0], head: selected[1] },
      extensions: [
        history(),
        drawSelection(),
        indentOnInput(),
        indentUnit.of("    "),
        bracketMatching(),
        python(),
        syntaxHighlighting(COLOURS),
        LOOK,
        EditorView.contentAttributes.of({ "aria-label": label, tabindex: "0" }),
        EditorState.changeFilter.of(({ newDoc }) => newDoc.length <= most || (full?.(), false)),
        EditorView.scrollMargins.of(() => ({ top: 60, bottom: 60 })), // bars that stay over it
        EditorView.domEventHandlers({ focus: (_, view) => view.setTabFocusMode(false) }),
        EditorView.updateListener.of(({ docChanged, state }) => docChanged && change?.(`${state.doc}`)),
        keymap.of([
          { key: "Mod-Enter", run: () => true }, // the block runs
          { key: "Escape", run: (view) => (view.setTabFocusMode(true), true) }, // Tab leaves it
          indentWithTab,
          ...defaultKeymap,
          ...historyKeymap,
        ]),
      ],
    }),
  });
  view.dom.style.fontSize = size;
  return {
    text: () => `${view.state.doc}\n`,
    focus: () => view.focus(),
    close() {
      view.destroy();
      host.remove();
      element.hidden = false;
    },
  };
}
