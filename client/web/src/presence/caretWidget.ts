/** One remote caret in the editor: a bar at its place and a flag with a name. */
import { editor, type IPosition } from 'monaco-editor/editor';
import type { FlagColors } from './color';

/** How long the name stays after its owner moved. In milliseconds. */
const UNFOLDED_FOR = 3_000;

export class CaretWidget implements editor.IContentWidget {
  readonly allowEditorOverflow = false;
  readonly suppressMouseDown = true;

  readonly #codeEditor: editor.ICodeEditor;
  readonly #key: string;
  readonly #node = document.createElement('div');
  readonly #flag = document.createElement('span');
  #position: IPosition | null = null;
  #place = '';
  #foldTimer: ReturnType<typeof setTimeout> | undefined;

  constructor(codeEditor: editor.ICodeEditor, key: string) {
    this.#codeEditor = codeEditor;
    this.#key = key;
    this.#node.className = 'remote-caret';
    this.#node.dataset['testid'] = 'remote-caret';
    this.#flag.className = 'remote-caret-flag';
    this.#node.append(this.#flag);
    codeEditor.addContentWidget(this);
  }

  getId(): string {
    return `remote-caret-${this.#key}`;
  }

  getDomNode(): HTMLElement {
    return this.#node;
  }

  getPosition(): editor.IContentWidgetPosition | null {
    return this.#position && { position: this.#position, preference: [editor.ContentWidgetPositionPreference.EXACT] };
  }

  /**
   * Puts the caret at a position. `place` is what its owner says of it: the flag unfolds when that changes or when
   * the caret moves along a line, and not when the lines above it do.
   */
  show(position: IPosition, place: string, label: string, { ground, text }: FlagColors): void {
    const lineHeight = this.#codeEditor.getOption(editor.EditorOption.lineHeight);
    this.#flag.textContent = label;
    this.#node.dataset['name'] = label;
    this.#node.style.setProperty('--ground', ground);
    this.#node.style.setProperty('--text', text);
    this.#node.style.height = `${lineHeight}px`;
    // Above the first line there is no room for a flag.
    this.#node.classList.toggle('is-below', position.lineNumber === 1);
    if (place !== this.#place || position.column !== this.#position?.column) this.#unfold();
    this.#place = place;
    this.#position = position;
    this.#codeEditor.layoutContentWidget(this);
  }

  dispose(): void {
    clearTimeout(this.#foldTimer);
    this.#codeEditor.removeContentWidget(this);
  }

  #unfold(): void {
    this.#node.classList.remove('is-folded');
    clearTimeout(this.#foldTimer);
    this.#foldTimer = setTimeout(() => this.#node.classList.add('is-folded'), UNFOLDED_FOR);
  }
}
