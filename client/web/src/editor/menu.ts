/** Undo and redo in the context menu: Monaco leaves them to the menu bar of the application around it. */
import type { editor } from 'monaco-editor/editor';

const ACTIONS = [
  { id: 'promptroom.undo', label: 'Undo', command: 'undo', order: 1 },
  { id: 'promptroom.redo', label: 'Redo', command: 'redo', order: 2 },
] as const;

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
