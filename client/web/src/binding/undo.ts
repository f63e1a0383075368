/**
 * Undo and redo that take back only one's own text.
 *
 * Monaco's own undo works on the text as it was and so removes what others wrote. Replacing `undo`, `redo`,
 * `canUndo` and `canRedo` of the model itself, instead of binding keys, covers every path: keys, menus, the command
 * palette, `editor.trigger`, the native undo of the browser.
 */
import { editor } from 'monaco-editor/editor';
import * as Y from 'yjs';
import { offsetsOf, type RelativeSelection, selectionsAt, toOffsets, toRelative } from './selections';

/** Edits closer together than this are taken back together. In milliseconds. */
const CAPTURE_TIME = 500;
/** From this many code units on a change (a paste, say) is taken back by itself. */
const LARGE_CHANGE_UNITS = 50;

const SELECTIONS = 'selections';

/** The part of Monaco's model that its undo commands call; not in the published types. */
interface UndoableModel {
  undo(): void;
  redo(): void;
  canUndo(): boolean;
  canRedo(): boolean;
}

interface StackItemEvent {
  readonly stackItem: { readonly meta: Map<unknown, unknown> };
}

export interface UndoOptions {
  readonly model: editor.ITextModel;
  readonly text: Y.Text;
  /** The origin of the transactions that are one's own. */
  readonly origin: unknown;
  readonly writable: () => boolean;
  /** Where carets are read and put back; without one, only the text is. */
  readonly codeEditor?: editor.ICodeEditor;
}

/** Made before the binding, so that it sees a change before the change becomes a transaction. */
export class Undo {
  readonly manager: Y.UndoManager;
  readonly #options: UndoOptions;
  readonly #disposables: { dispose(): void }[] = [];
  /** The selections before the change that is being made: Monaco tells of cursors after it tells of text. */
  #selections: RelativeSelection[] = [];

  constructor(options: UndoOptions) {
    this.#options = options;
    this.manager = new Y.UndoManager(options.text, {
      trackedOrigins: new Set([options.origin]),
      captureTimeout: CAPTURE_TIME,
    });
    this.#replaceModelUndo();
    this.#splitAtLargeChanges();
    if (options.codeEditor) this.#followSelections(options.codeEditor);
    this.manager.on('stack-item-added', ({ stackItem }: StackItemEvent) => {
      stackItem.meta.set(SELECTIONS, this.#selections);
    });
    this.manager.on('stack-item-popped', ({ stackItem }: StackItemEvent) => {
      this.#putBack(stackItem.meta.get(SELECTIONS));
    });
  }

  /** Whether a transaction with this origin is an undo or a redo of ours. */
  isOrigin(origin: unknown): boolean {
    return origin === this.manager;
  }

  dispose(): void {
    for (const disposable of this.#disposables) disposable.dispose();
    this.manager.destroy();
  }

  #replaceModelUndo(): void {
    const model = this.#options.model as unknown as UndoableModel;
    const { manager } = this;
    const { writable } = this.#options;
    model.undo = () => {
      if (writable()) manager.undo();
    };
    model.redo = () => {
      if (writable()) manager.redo();
    };
    model.canUndo = () => writable() && manager.canUndo();
    model.canRedo = () => writable() && manager.canRedo();
  }

  /** A new line, a paste or a large deletion is a step of its own. Listens before the binding does. */
  #splitAtLargeChanges(): void {
    let wasLarge = false;
    const split = ({ changes }: editor.IModelContentChangedEvent): void => {
      const isLarge = changes.some(
        ({ text, rangeLength }) =>
          text.includes('\n') || text.length > LARGE_CHANGE_UNITS || rangeLength > LARGE_CHANGE_UNITS,
      );
      if (isLarge || wasLarge) this.manager.stopCapturing();
      wasLarge = isLarge;
    };
    this.#disposables.push(this.#options.model.onDidChangeContent(split));
  }

  #followSelections(codeEditor: editor.ICodeEditor): void {
    const { model, text } = this.#options;
    const follow = (event: editor.ICursorSelectionChangedEvent): void => {
      this.#selections = toRelative(text, offsetsOf(model, codeEditor.getSelections() ?? []));
      if (event.reason === editor.CursorChangeReason.Explicit) this.manager.stopCapturing();
    };
    this.#disposables.push(codeEditor.onDidChangeCursorSelection(follow));
  }

  #putBack(kept: unknown): void {
    const { model, text, codeEditor } = this.#options;
    if (!codeEditor || !Array.isArray(kept)) return;
    const offsets = kept.map((selection) => toOffsets(text, selection)).filter((found) => found !== null);
    const selections = selectionsAt(model, offsets);
    const [primary] = selections;
    if (!primary) return;
    codeEditor.setSelections(selections);
    codeEditor.revealPositionInCenterIfOutsideViewport(primary.getPosition());
  }
}
