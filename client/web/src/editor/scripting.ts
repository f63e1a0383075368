/**
 * The open editor for scripts and browser extensions: `window.promptroom.editor` is Monaco's
 * `IStandaloneCodeEditor` (https://microsoft.github.io/monaco-editor/). It is there while a prompt is shown.
 *
 * What a script does with it is what a user does: edits are the user's own, can be undone, and are refused while the
 * prompt is read only.
 */
import type { editor } from 'monaco-editor/editor';

declare global {
  interface Window {
    promptroom?: { readonly editor: editor.IStandaloneCodeEditor };
  }
}

/** Offers the editor; the answer withdraws it. */
export function offerToScripts(codeEditor: editor.IStandaloneCodeEditor): () => void {
  window.promptroom = { editor: codeEditor };
  return () => {
    if (window.promptroom?.editor === codeEditor) delete window.promptroom;
  };
}
