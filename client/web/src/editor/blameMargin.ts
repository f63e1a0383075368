/**
 * Colors the margin by who wrote each line, in the colors of the carets; pointing there says who, how and when.
 *
 * The server is asked when the text rests, and believed where its text is the one here. Meanwhile Monaco moves the marks
 * with the text, and a line that is written in loses its own.
 */
import { editor, type IDisposable, Range } from 'monaco-editor/editor';
import type { Blame } from '../api/past';
import { flagColors, safeColor } from '../presence/color';
import { type BlamedLine, blamedLines, describeLine } from './blameLines';

/** In milliseconds. */
const REST = 800;
const MINUTE = 60_000;
/** Where in the margin of a line the color is: 5 pixels of the 10. */
const STRIPE = '3px 0 / 5px 100% no-repeat';

export type ReadBlame = (signal: AbortSignal) => Promise<Blame>;

export interface BlameMarginOptions {
  readonly codeEditor: editor.ICodeEditor;
  readonly model: editor.ITextModel;
  readonly read: ReadBlame;
  /** The text as the server means it. */
  readonly text: () => string;
  /** The editor's background now, as `#rrggbb`. */
  readonly background: () => string;
}

export class BlameMargin {
  readonly #options: BlameMarginOptions;
  readonly #decorations: editor.IEditorDecorationsCollection;
  readonly #sheet = new CSSStyleSheet();
  readonly #changes: IDisposable;
  /** Says how long ago things were, as time goes on. */
  readonly #clock: ReturnType<typeof setInterval>;
  #lines: readonly BlamedLine[] = [];
  /** Before the server is asked again; grows while there is nothing to be had. */
  #wait = REST;
  #timer: ReturnType<typeof setTimeout> | undefined;
  #asking: AbortController | null = null;

  constructor(options: BlameMarginOptions) {
    this.#options = options;
    this.#decorations = options.codeEditor.createDecorationsCollection();
    document.adoptedStyleSheets.push(this.#sheet);
    this.#changes = options.model.onDidChangeContent(() => {
      this.#show(this.#stillTrue());
      this.#wait = REST;
      this.#askLater();
    });
    this.#clock = setInterval(() => this.#show(this.#stillTrue()), MINUTE);
    this.#ask();
  }

  /** The theme has changed. */
  refresh(): void {
    this.#paint();
  }

  dispose(): void {
    clearTimeout(this.#timer);
    clearInterval(this.#clock);
    this.#asking?.abort();
    this.#changes.dispose();
    this.#decorations.clear();
    document.adoptedStyleSheets = document.adoptedStyleSheets.filter((sheet) => sheet !== this.#sheet);
  }

  #askLater(): void {
    clearTimeout(this.#timer);
    this.#asking?.abort();
    this.#timer = setTimeout(() => this.#ask(), this.#wait);
    this.#wait = Math.min(MINUTE, 2 * this.#wait);
  }

  #ask(): void {
    const asking = new AbortController();
    this.#asking = asking;
    this.#options
      .read(asking.signal)
      .then((blame) => {
        if (asking.signal.aborted) return;
        if (blame.content === this.#options.text()) this.#show(blamedLines(blame));
        else this.#askLater();
      })
      // The server is away, or refuses for now: what is shown is true, and the rest can wait.
      .catch(() => asking.signal.aborted || this.#askLater());
  }

  /** The lines that are as they were when the server was asked, wherever they are now. */
  #stillTrue(): BlamedLine[] {
    const { model } = this.#options;
    return this.#lines.flatMap((line, index) => {
      const range = this.#decorations.getRange(index);
      if (!range || range.endColumn - range.startColumn !== line.text.length) return [];
      if (model.getLineContent(range.startLineNumber) !== line.text) return [];
      return [{ ...line, number: range.startLineNumber }];
    });
  }

  #show(lines: readonly BlamedLine[]): void {
    this.#lines = lines;
    this.#paint();
    this.#decorations.set(
      lines.map((line) => ({
        range: new Range(line.number, 1, line.number, line.text.length + 1),
        options: {
          linesDecorationsClassName: `blame ${className(line.color)}`,
          linesDecorationsTooltip: describeLine(line),
          stickiness: editor.TrackedRangeStickiness.NeverGrowsWhenTypingAtEdges,
        },
      })),
    );
  }

  #paint(): void {
    const background = this.#options.background();
    const colors = new Set(this.#lines.map(({ color }) => color));
    const rules = [...colors].map((color) => {
      const { ground } = flagColors(color, background);
      return `.${className(color)}{background:linear-gradient(${ground},${ground}) ${STRIPE}}`;
    });
    this.#sheet.replaceSync(rules.join(''));
  }
}

function className(color: string): string {
  return `blame-${safeColor(color).slice(1)}`;
}
