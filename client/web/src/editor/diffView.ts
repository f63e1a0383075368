/** Two texts in Monaco's diff editor, side by side or, where that is too narrow, in one column. Nobody writes here. */
import { editor, type IDisposable } from 'monaco-editor/editor';
import type * as Y from 'yjs';
import { Binding } from '../binding/binding';
import { LANGUAGE_ID } from '../dotprompt/language';
import type { ThemeName } from '../dotprompt/palettes';
import { TEXT_OPTIONS } from './setup';

/** A text that stays as it is, or one that is written on meanwhile. */
export type DiffText = string | Y.Text;

export interface DiffViewOptions {
  readonly host: HTMLElement;
  readonly theme: ThemeName;
  readonly before: DiffText;
  readonly after: DiffText;
  /** The differences were counted, for the first time or again. */
  readonly onCounted: (changes: number) => void;
}

const OPTIONS: editor.IStandaloneDiffEditorConstructionOptions = {
  ...TEXT_OPTIONS,
  diffWordWrap: 'on',
  ignoreTrimWhitespace: false,
  lineNumbersMinChars: 3,
  originalEditable: false,
  readOnly: true,
  renderGutterMenu: false,
  renderMarginRevertIcon: false,
  renderOverviewRuler: false,
  renderSideBySideInlineBreakpoint: 720,
  useInlineViewWhenSpaceIsLimited: true,
};

export class DiffView {
  readonly #diffEditor: editor.IStandaloneDiffEditor;
  readonly #dispose: () => void;

  constructor({ host, theme, before, after, onCounted }: DiffViewOptions) {
    const sides = [showText(before), showText(after)] as const;
    const diffEditor = editor.createDiffEditor(host, { ...OPTIONS, theme });
    const naming = [
      keepName(diffEditor.getOriginalEditor(), 'Older text'),
      keepName(diffEditor.getModifiedEditor(), 'Newer text'),
    ];
    let isFirst = true;
    const counting = diffEditor.onDidUpdateDiff(() => {
      if (isFirst) diffEditor.revealFirstDiff();
      isFirst = false;
      onCounted(diffEditor.getLineChanges()?.length ?? 0);
    });
    diffEditor.setModel({ original: sides[0].model, modified: sides[1].model });
    this.#diffEditor = diffEditor;
    this.#dispose = () => {
      for (const subscription of [...naming, counting]) subscription.dispose();
      diffEditor.dispose();
      for (const side of sides) side.dispose();
    };
  }

  /** Shows the next or the previous difference; behind the last one comes the first. */
  go(where: 'next' | 'previous'): void {
    this.#diffEditor.goToDiff(where);
  }

  dispose(): void {
    this.#dispose();
  }
}

/** The diff editor has options for these names, and loses them whenever it sets another option of a side. */
function keepName(side: editor.ICodeEditor, ariaLabel: string): IDisposable {
  const name = (): void => {
    if (side.getOption(editor.EditorOption.ariaLabel) !== ariaLabel) side.updateOptions({ ariaLabel });
  };
  name();
  return side.onDidChangeConfiguration(name);
}

function showText(text: DiffText): { readonly model: editor.ITextModel; dispose(): void } {
  const model = editor.createModel(typeof text === 'string' ? text : '', LANGUAGE_ID);
  model.updateOptions({ bracketColorizationOptions: { enabled: false, independentColorPoolPerBracketType: false } });
  if (typeof text === 'string') {
    model.setEOL(editor.EndOfLineSequence.LF);
    return { model, dispose: () => model.dispose() };
  }
  const binding = new Binding({ model, text, origin: Symbol('nobody writes here'), writable: () => false });
  return {
    model,
    dispose: () => {
      binding.dispose();
      model.dispose();
    },
  };
}
