/** A text in an editor of Monaco's that nobody writes in. */
import { editor, Range } from 'monaco-editor/editor';
import { LANGUAGE_ID } from '../dotprompt/language';
import type { ThemeName } from '../dotprompt/palettes';
import { TEXT_OPTIONS } from './setup';

const HIGH_SURROGATE = /[\ud800-\udbff]/;
const LOW_SURROGATE = /[\udc00-\udfff]/;

export class TextView {
  readonly #model: editor.ITextModel;
  readonly #codeEditor: editor.IStandaloneCodeEditor;

  constructor(host: HTMLElement, theme: ThemeName, ariaLabel: string) {
    this.#model = editor.createModel('', LANGUAGE_ID);
    this.#model.setEOL(editor.EndOfLineSequence.LF);
    this.#codeEditor = editor.create(host, {
      ...TEXT_OPTIONS,
      ariaLabel,
      lineNumbersMinChars: 4,
      model: this.#model,
      readOnly: true,
      renderLineHighlight: 'none',
      // Only the slider moves through the past: the tabulator goes on to it.
      tabFocusMode: true,
      theme,
    });
    // An option of the model, which the editor has just set to its default.
    this.#model.updateOptions({
      bracketColorizationOptions: { enabled: false, independentColorPoolPerBracketType: false },
    });
  }

  /** Shows a text instead of the one before, and the place where they differ. */
  show(text: string): void {
    const before = this.#model.getValue();
    if (before === text) return;
    const most = Math.min(before.length, text.length);
    let start = 0;
    while (start < most && before[start] === text[start]) start += 1;
    // Monaco takes no place between the halves of a surrogate pair for one.
    if (HIGH_SURROGATE.test(before.charAt(start - 1))) start -= 1;
    let end = 0;
    while (end < most - start && before.at(-1 - end) === text.at(-1 - end)) end += 1;
    if (LOW_SURROGATE.test(before.charAt(before.length - end))) end -= 1;
    const place = Range.fromPositions(this.#model.getPositionAt(start), this.#model.getPositionAt(before.length - end));
    this.#model.applyEdits([{ range: place, text: text.slice(start, text.length - end) }]);
    if (before) this.#codeEditor.revealPositionInCenterIfOutsideViewport(this.#model.getPositionAt(start));
  }

  dispose(): void {
    this.#codeEditor.dispose();
    this.#model.dispose();
  }
}
