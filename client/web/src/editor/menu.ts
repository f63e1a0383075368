/** What an application around Monaco adds to it: undo and redo in the menu, and an answer to Ctrl+S. */
import { type editor, KeyCode, KeyMod } from 'monaco-editor/editor';

const ACTIONS = [
  { id: 'promptroom.undo', label: 'Undo', command: 'undo', order: 1 },
  { id: 'promptroom.redo', label: 'Redo', command: 'redo', order: 2 },
] as const;

/** Monaco leaves undo and redo to the menu bar of the application around it. */
export function addUndoToMenu(codeEditor: editor.IStandaloneCodeEditor): void {
  for (const { id, label, command, order } of ACTIONS) {
    codeEditor.addAction({
      id,
      label,
      precondition: '!editorReadonly',
      contextMenuGroupId: '0_undo',
      contextMenuOrder: order,
      run: (target) => target.trigger('menu', command, null),
    });
  }
}

/** Instead of the browser's "save page as": there is nothing to save by hand, and the user is told so. */
export function answerSaveKey(codeEditor: editor.IStandaloneCodeEditor, answer: () => void): void {
  codeEditor.addAction({
    id: 'promptroom.save',
    label: 'Save',
    keybindings: [KeyMod.CtrlCmd | KeyCode.KeyS],
    run: answer,
  });
}
