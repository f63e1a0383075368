/**
 * Keeps a Monaco model and a Yjs text equal.
 *
 * Rules
 *   1. The Yjs text is the truth. Whatever of the model may not enter it (too large, read only, `\r`, half a
 *      surrogate pair) is taken out of the model again.
 *   2. Offsets are the same on both sides because both have `\n` line ends: `setEOL(LF)` after the model got its
 *      text, and again whenever the model is given other line ends.
 *   3. Local changes become the smallest operations, in one transaction with the origin of local edits.
 *   4. Remote changes become one batch of edits relative to the old text, outside of Monaco's own undo.
 *   5. When offsets cannot be trusted (`\r` from a foreign client, an edit inside a surrogate pair) both texts are
 *      compared as a whole.
 */
import { editor, type IDisposable, Range } from 'monaco-editor/editor';
import type * as Y from 'yjs';
import { clean, editsOfDelta, narrow, type TextEdit } from './edits';
import { MAX_CHANGE_UNITS, MAX_TEXT_UNITS } from './limits';

/** Why a change was taken back. */
export type Refusal = 'change-too-large' | 'text-too-large' | 'read-only';

export interface BindingOptions {
  readonly model: editor.ITextModel;
  readonly text: Y.Text;
  /** The origin of the transactions that carry local changes. */
  readonly origin: unknown;
  /** Whether local changes may enter the text now. */
  readonly writable: () => boolean;
  readonly onRefused?: (refusal: Refusal) => void;
  /** Runs around remote edits; gets them in ascending order. Answers what to do when the model has them. */
  readonly beforeRemoteEdits?: (edits: readonly TextEdit[], origin: unknown) => () => void;
}

/** The origin of transactions that take `\r` out of what a foreign client wrote. */
const REPAIR = Symbol('line end repair');

const LF = editor.EndOfLineSequence.LF;

export class Binding {
  readonly #options: BindingOptions;
  readonly #model: editor.ITextModel;
  readonly #text: Y.Text;
  readonly #subscription: IDisposable;
  #applying = false;
  /** Why the model will be made equal to the text in a moment; what it holds until then is not the text. */
  #restoreDue: 'tidy' | 'refused' | null = null;
  #foreignLineEnds = false;
  #disposed = false;

  constructor(options: BindingOptions) {
    this.#options = options;
    this.#model = options.model;
    this.#text = options.text;
    this.#restore();
    this.#text.observe(this.#onText);
    this.#subscription = this.#model.onDidChangeContent(this.#onModel);
  }

  dispose(): void {
    this.#disposed = true;
    this.#text.unobserve(this.#onText);
    this.#subscription.dispose();
  }

  // --- from Monaco ---

  readonly #onModel = (event: editor.IModelContentChangedEvent): void => {
    if (this.#applying || this.#restoreDue === 'refused') return;
    const refusal = this.#refusalOf(event.changes);
    if (refusal) {
      this.#options.onRefused?.(refusal);
      this.#restoreSoon('refused');
      return;
    }
    if (event.isFlush || event.isEolChange || this.#foreignLineEnds || this.#restoreDue) this.#pushWhole();
    else this.#pushChanges(event.changes);
    if (this.#model.getEOL() !== '\n') this.#restoreSoon('tidy');
  };

  #refusalOf(changes: readonly editor.IModelContentChange[]): Refusal | null {
    if (!this.#options.writable()) return 'read-only';
    const inserted = changes.reduce((sum, change) => sum + change.text.length, 0);
    const removed = changes.reduce((sum, change) => sum + change.rangeLength, 0);
    if (inserted > MAX_CHANGE_UNITS) return 'change-too-large';
    const grows = inserted > removed;
    return grows && this.#text.length + inserted - removed > MAX_TEXT_UNITS ? 'text-too-large' : null;
  }

  #pushChanges(changes: readonly editor.IModelContentChange[]): void {
    const before = changes.some((change) => change.rangeLength > 0 && change.text) ? this.#text.toString() : '';
    const edits: TextEdit[] = [];
    for (const change of changes) {
      const end = change.rangeOffset + change.rangeLength;
      const text = clean(change.text);
      if (text !== change.text) this.#restoreSoon('tidy');
      if (change.rangeLength > 0 && text) {
        const edit = narrow(before.slice(change.rangeOffset, end), text, change.rangeOffset);
        if (edit) edits.push(edit);
      } else if (change.rangeLength > 0 || text) {
        edits.push({ start: change.rangeOffset, end, text });
      }
    }
    this.#write(edits, this.#options.origin);
  }

  #pushWhole(): void {
    const after = clean(this.#model.getValue(editor.EndOfLinePreference.LF));
    const edit = narrow(this.#text.toString(), after);
    if (edit) this.#write([edit], this.#options.origin);
    this.#foreignLineEnds = false;
  }

  /** Writes edits of the text as it is now, the last one first so that offsets stay true. */
  #write(edits: TextEdit[], origin: unknown): void {
    const descending = [...edits].sort((a, b) => b.start - a.start);
    const write = (): void => {
      for (const { start, end, text } of descending) {
        if (end > start) this.#text.delete(start, end - start);
        if (text) this.#text.insert(start, text);
      }
    };
    if (this.#text.doc) this.#text.doc.transact(write, origin);
  }

  // --- from Yjs ---

  readonly #onText = (event: Y.YTextEvent, transaction: Y.Transaction): void => {
    if (transaction.origin === this.#options.origin || this.#restoreDue) return;
    const edits = editsOfDelta(event.delta);
    if (edits === null || edits.some((edit) => edit.text.includes('\r'))) this.#foreignLineEnds = true;
    const finish = this.#options.beforeRemoteEdits?.(edits ?? [], transaction.origin);
    if (edits === null || this.#foreignLineEnds || !this.#apply(edits)) this.#restore();
    finish?.();
  };

  /** Applies edits to the model; answers whether both texts can be equal after it. */
  #apply(edits: readonly TextEdit[]): boolean {
    if (!edits.every((edit) => this.#isBoundary(edit.start) && this.#isBoundary(edit.end))) return false;
    this.#change(edits);
    return this.#model.getValueLength() === this.#text.length;
  }

  #isBoundary(offset: number): boolean {
    const position = this.#model.getPositionAt(offset);
    const valid = this.#model.validatePosition(position);
    return this.#model.getOffsetAt(valid) === offset;
  }

  #change(edits: readonly TextEdit[]): void {
    const model = this.#model;
    const operations = edits.map(({ start, end, text }) => {
      const range = Range.fromPositions(model.getPositionAt(start), model.getPositionAt(end));
      return { range, text };
    });
    this.#whileApplying(() => model.applyEdits(operations));
  }

  // --- both as a whole ---

  /** Makes the model equal to the text; takes foreign `\r` out of the text if we may. */
  #restore(): void {
    const text = this.#text.toString();
    this.#foreignLineEnds = text.includes('\r');
    if (this.#foreignLineEnds) queueMicrotask(() => this.#repairLineEnds());
    // After the model has its text, not before: a model that is given `\r\n` changes its line ends.
    this.#whileApplying(() => this.#model.setEOL(LF));
    const edit = narrow(this.#model.getValue(), clean(text));
    if (edit) this.#change([edit]);
  }

  #restoreSoon(reason: 'tidy' | 'refused'): void {
    const isScheduled = this.#restoreDue !== null;
    this.#restoreDue = reason === 'refused' ? reason : (this.#restoreDue ?? reason);
    if (isScheduled) return;
    // Not now: Monaco is in the middle of telling everybody about the change.
    queueMicrotask(() => {
      this.#restoreDue = null;
      if (!this.#disposed) this.#restore();
    });
  }

  #repairLineEnds(): void {
    if (this.#disposed || !this.#options.writable()) return;
    const edits = [...this.#text.toString().matchAll(/\r+/g)].map((found) => ({
      start: found.index,
      end: found.index + found[0].length,
      text: '',
    }));
    if (edits.length > 0) this.#write(edits, REPAIR);
  }

  #whileApplying(action: () => void): void {
    this.#applying = true;
    try {
      action();
    } finally {
      this.#applying = false;
    }
  }
}
