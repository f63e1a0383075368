/**
 * Tells others where one's own carets and selections are.
 *
 * Rules
 *   1. Only what the local user did is told. A remote edit moves carets too, but relative positions move with the
 *      text at everybody's, and telling it again would cost a message for every reader and every key.
 *   2. At most one message in `INTERVAL`, the first at once: whoever opens a prompt is seen before they move.
 *   3. What has not changed is not told: while one types, the caret stays before the same character.
 */
import { editor } from 'monaco-editor/editor';
import type { Awareness } from 'y-protocols/awareness';
import type * as Y from 'yjs';
import { offsetsOf, toRelative } from '../binding/selections';

/** 20 messages a second. In milliseconds. */
const INTERVAL = 50;
/** Selections beyond this many are not told: a presence state is at most 8 KiB. */
const MAX_SELECTIONS = 16;

const { RecoverFromMarkers, ContentFlush } = editor.CursorChangeReason;

export interface CursorPublisherOptions {
  readonly codeEditor: editor.ICodeEditor;
  readonly model: editor.ITextModel;
  readonly text: Y.Text;
  readonly awareness: Awareness;
}

/** Starts telling; the answer stops it. */
export function publishCursors({ codeEditor, model, text, awareness }: CursorPublisherOptions): () => void {
  let told = '';
  let timer: ReturnType<typeof setTimeout> | undefined;
  let isDue = false;

  const tell = (): void => {
    isDue = false;
    const selections = codeEditor.getSelections()?.slice(0, MAX_SELECTIONS) ?? [];
    const [selection, ...others] = toRelative(text, offsetsOf(model, selections));
    const news = JSON.stringify([selection, others]);
    if (!selection || news === told) return;
    told = news;
    awareness.setLocalState({ ...awareness.getLocalState(), selection, otherSelections: others });
    timer = setTimeout(() => {
      timer = undefined;
      if (isDue) tell();
    }, INTERVAL);
  };

  tell();
  const subscription = codeEditor.onDidChangeCursorSelection(({ reason }) => {
    if (reason === RecoverFromMarkers || reason === ContentFlush) return;
    isDue = true;
    if (timer === undefined) tell();
  });

  return () => {
    clearTimeout(timer);
    subscription.dispose();
  };
}
