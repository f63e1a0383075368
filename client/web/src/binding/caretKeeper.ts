/**
 * Keeps one's own carets in front of text that somebody else inserts exactly there.
 *
 * Monaco pushes a caret behind such text. Two people who type at the same place would then push each other along
 * and end up with their letters interleaved. Everything else is left to Monaco: setting selections on every remote
 * edit would cost the user the other cursors, the column selection and a running composition.
 */
import type { editor } from 'monaco-editor/editor';
import { moveOffset, type TextEdit } from './edits';
import { offsetsOf, selectionsAt } from './selections';

/** Made for one editor; the answer runs around remote edits (`BindingOptions.beforeRemoteEdits`). */
export function keepCarets(
  codeEditor: editor.ICodeEditor,
  model: editor.ITextModel,
): (edits: readonly TextEdit[]) => () => void {
  let composing = false;
  codeEditor.onDidCompositionStart(() => {
    composing = true;
  });
  codeEditor.onDidCompositionEnd(() => {
    composing = false;
  });
  return (edits) => {
    const offsets = offsetsOf(model, codeEditor.getSelections() ?? []);
    const isPushed = offsets.some(({ anchor, head }) => anchor === head && edits.some((edit) => insertsAt(edit, head)));
    if (!isPushed || composing) return () => undefined;
    const kept = offsets.map(({ anchor, head }) => ({
      anchor: moveOffset(anchor, edits),
      head: moveOffset(head, edits),
    }));
    return () => codeEditor.setSelections(selectionsAt(model, kept));
  };
}

function insertsAt(edit: TextEdit, offset: number): boolean {
  return edit.start === offset && edit.end === offset && edit.text !== '';
}
