/** A live prompt in a Monaco editor: everything between the document and the screen, made and taken down together. */
import { editor } from 'monaco-editor/editor';
import { Binding, type Refusal } from '../binding/binding';
import { keepCarets } from '../binding/caretKeeper';
import { Undo } from '../binding/undo';
import { LANGUAGE_ID } from '../dotprompt/language';
import { PALETTES, type ThemeName } from '../dotprompt/palettes';
import type { LivePrompt } from '../live/livePrompt';
import { publishCursors } from '../presence/cursorPublisher';
import { RemoteCarets } from '../presence/remoteCarets';
import { BlameMargin, type ReadBlame } from './blameMargin';
import { addUndoToMenu, answerSaveKey } from './menu';
import { TEXT_OPTIONS } from './setup';

export interface PromptEditorOptions {
  readonly host: HTMLElement;
  readonly live: LivePrompt;
  readonly theme: ThemeName;
  readonly onRefused: (refusal: Refusal) => void;
  /** The user pressed the key for saving, though everything saves itself. */
  readonly onSaveKey: () => void;
}

const OPTIONS: editor.IStandaloneEditorConstructionOptions = {
  ...TEXT_OPTIONS,
  ariaLabel: 'Prompt text',
  detectIndentation: false,
  lineNumbersMinChars: 4,
  placeholder: 'Write the prompt. Use {{name}} for a variable and {{role "system"}} for a role.',
  quickSuggestions: false,
  renderLineHighlight: 'line',
  tabSize: 2,
  wordBasedSuggestions: 'off',
};

export class PromptEditor {
  readonly codeEditor: editor.IStandaloneCodeEditor;
  readonly #live: LivePrompt;
  readonly #carets: RemoteCarets;
  readonly #dispose: () => void;
  #theme: ThemeName;
  #blame: BlameMargin | null = null;

  constructor({ host, live, theme, onRefused, onSaveKey }: PromptEditorOptions) {
    this.#live = live;
    this.#theme = theme;
    const { text, awareness } = live;
    const model = editor.createModel('', LANGUAGE_ID);
    const codeEditor = editor.create(host, { ...OPTIONS, model, theme });
    // An option of the model, which the editor has just set to its default.
    model.updateOptions({ bracketColorizationOptions: { enabled: false, independentColorPoolPerBracketType: false } });
    const writable = (): boolean => live.snapshot.writable;
    const origin = Symbol('edits of this editor');
    const undo = new Undo({ model, text, origin, writable, codeEditor });
    const keep = keepCarets(codeEditor, model);
    const binding = new Binding({
      model,
      text,
      origin,
      writable,
      onRefused,
      beforeRemoteEdits: (edits, cause) => (undo.isOrigin(cause) ? () => undefined : keep(edits)),
    });
    // The text that came in has pushed the caret behind itself.
    codeEditor.setPosition({ lineNumber: 1, column: 1 });
    const stopPublishing = publishCursors({ codeEditor, model, text, awareness });
    this.#carets = new RemoteCarets({
      codeEditor,
      model,
      text,
      awareness,
      yourUserId: live.snapshot.userId,
      background: () => PALETTES[this.#theme].background,
    });
    addUndoToMenu(codeEditor);
    answerSaveKey(codeEditor, onSaveKey);
    this.codeEditor = codeEditor;
    this.#dispose = () => {
      this.#blame?.dispose();
      this.#carets.dispose();
      stopPublishing();
      binding.dispose();
      undo.dispose();
      codeEditor.dispose();
      model.dispose();
    };
    this.followRole();
  }

  /** The role may have changed: the editor takes input or says that it does not. */
  followRole(): void {
    this.codeEditor.updateOptions({
      readOnly: !this.#live.snapshot.writable,
      readOnlyMessage: { value: 'You may read this prompt, not edit it.' },
    });
  }

  setTheme(theme: ThemeName): void {
    this.#theme = theme;
    editor.setTheme(theme);
    this.#carets.refresh();
    this.#blame?.refresh();
  }

  /** Shows in the margin who wrote each line, or no longer. */
  showBlame(read: ReadBlame | null): void {
    this.#blame?.dispose();
    const { codeEditor } = this;
    const model = codeEditor.getModel();
    const text = (): string => this.#live.text.toString();
    const background = (): string => PALETTES[this.#theme].background;
    this.#blame = read && model && new BlameMargin({ codeEditor, model, read, text, background });
  }

  dispose(): void {
    this.#dispose();
  }
}
