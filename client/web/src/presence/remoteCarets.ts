/**
 * Shows where others are: their selections as tinted text, their carets with a flag that carries the name.
 *
 * A flag is shown while its owner moves, then folds into the caret; pointing at the caret unfolds it (the
 * pointer is watched by the editor: a caret must not stand in the way of a click). Positions are
 * worked out once a frame, because each edit of anybody moves all of them.
 */
import { editor, type IDisposable, Range } from 'monaco-editor/editor';
import type { Awareness } from 'y-protocols/awareness';
import type * as Y from 'yjs';
import { type SelectionOffsets, toOffsets } from '../binding/selections';
import { CaretWidget } from './caretWidget';
import { flagColors, selectionTint } from './color';
import { listPeople, type Person } from './people';

export interface RemoteCaretsOptions {
  readonly codeEditor: editor.ICodeEditor;
  readonly model: editor.ITextModel;
  readonly text: Y.Text;
  readonly awareness: Awareness;
  readonly yourUserId: string;
  /** The editor's background now, as `#rrggbb`. */
  readonly background: () => string;
}

interface RemoteCaret extends SelectionOffsets {
  /** Of the tab, and of the caret among the tab's. */
  readonly key: string;
  /** What the owner says of the place: changes when they move, not when the text does. */
  readonly place: string;
  /** Whose it is; the other carets of the same tab carry no flag. */
  readonly label: string;
  readonly color: string;
}

export class RemoteCarets {
  readonly #options: RemoteCaretsOptions;
  readonly #widgets = new Map<string, CaretWidget>();
  readonly #decorations: editor.IEditorDecorationsCollection;
  readonly #sheet = new CSSStyleSheet();
  readonly #pointer: IDisposable;
  #frame: number | undefined;

  constructor(options: RemoteCaretsOptions) {
    this.#options = options;
    this.#decorations = options.codeEditor.createDecorationsCollection();
    document.adoptedStyleSheets.push(this.#sheet);
    options.awareness.on('change', this.refresh);
    options.text.observe(this.refresh);
    this.#pointer = options.codeEditor.onMouseMove(({ target }) => {
      for (const widget of this.#widgets.values()) {
        if (target.position && widget.isNear(target.position)) widget.unfold();
      }
    });
    this.refresh();
  }

  /** Something moved, or the theme changed: shows it in the next frame. */
  readonly refresh = (): void => {
    this.#frame ??= requestAnimationFrame(() => {
      this.#frame = undefined;
      this.#show(this.#read());
    });
  };

  dispose(): void {
    if (this.#frame !== undefined) cancelAnimationFrame(this.#frame);
    this.#options.awareness.off('change', this.refresh);
    this.#options.text.unobserve(this.refresh);
    this.#pointer.dispose();
    for (const widget of this.#widgets.values()) widget.dispose();
    this.#decorations.clear();
    document.adoptedStyleSheets = document.adoptedStyleSheets.filter((sheet) => sheet !== this.#sheet);
  }

  #read(): RemoteCaret[] {
    const { awareness, yourUserId } = this.#options;
    const people = listPeople(awareness.getStates(), yourUserId);
    return people.flatMap((person) => this.#caretsOf(person));
  }

  #caretsOf({ tabs, color }: Person): RemoteCaret[] {
    const { awareness, text } = this.#options;
    return tabs
      .filter(({ clientId }) => clientId !== awareness.clientID)
      .flatMap(({ clientId, label }) => {
        const { selection, otherSelections } = awareness.getStates().get(clientId) ?? {};
        const selections: unknown[] = [selection, ...(Array.isArray(otherSelections) ? otherSelections : [])];
        return selections.flatMap((each, index) => {
          const offsets = toOffsets(text, each);
          return offsets
            ? [
                {
                  ...offsets,
                  key: `${clientId}-${index}`,
                  place: JSON.stringify(each),
                  label: index === 0 ? label : '',
                  color,
                },
              ]
            : [];
        });
      });
  }

  #show(carets: RemoteCaret[]): void {
    const { model } = this.#options;
    const shown = new Set(carets.map(({ key }) => key));
    for (const [key, widget] of this.#widgets) {
      if (shown.has(key)) continue;
      widget.dispose();
      this.#widgets.delete(key);
    }
    for (const caret of carets) {
      const colors = flagColors(caret.color, this.#options.background());
      this.#widget(caret.key).show(model.getPositionAt(caret.head), caret.place, caret.label, colors);
    }
    this.#showSelections(carets);
  }

  #widget(key: string): CaretWidget {
    const known = this.#widgets.get(key);
    if (known) return known;
    const widget = new CaretWidget(this.#options.codeEditor, key);
    this.#widgets.set(key, widget);
    return widget;
  }

  #showSelections(carets: RemoteCaret[]): void {
    const { model, background } = this.#options;
    const colors = new Map(carets.map(({ color }) => [color, flagColors(color, background()).ground]));
    this.#sheet.replaceSync(
      [...colors.keys()]
        .map((color) => `.${selectionClass(color)}{background:${selectionTint(color, background())}}`)
        .join(''),
    );
    this.#decorations.set(
      carets.map(({ anchor, head, color }) => ({
        range: Range.fromPositions(
          model.getPositionAt(Math.min(anchor, head)),
          model.getPositionAt(Math.max(anchor, head)),
        ),
        options: {
          className: anchor === head ? null : selectionClass(color),
          stickiness: editor.TrackedRangeStickiness.NeverGrowsWhenTypingAtEdges,
          overviewRuler: { color: colors.get(color) ?? color, position: editor.OverviewRulerLane.Center },
        },
      })),
    );
  }
}

function selectionClass(color: string): string {
  return `remote-selection-${color.slice(1)}`;
}
