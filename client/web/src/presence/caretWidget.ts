/** One remote caret in the editor: a bar at its place and a flag with a name. */
import { editor, type IPosition } from 'monaco-editor/editor';
import type { FlagColors } from './color';

/** How long the name stays after its owner moved. In milliseconds. */
const UNFOLDED_FOR = 3_000;
/** From this share of the editor's width on, a flag points to the left. */
const FAR_RIGHT = 0.75;

export class CaretWidget implements editor.IContentWidget {
  readonly allowEditorOverflow = false;

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
    this.#flag.hidden = label === '';
    this.#node.dataset['name'] = label;
    this.#node.style.setProperty('--ground', ground);
    this.#node.style.setProperty('--text', text);
    this.#node.style.height = `${lineHeight}px`;
    // Above the first line there is no room for a flag.
    this.#node.classList.toggle('is-below', position.lineNumber === 1);
    const hasMoved = place !== this.#place || position.column !== this.#position?.column;
    this.#place = place;
    this.#position = position;
    this.#codeEditor.layoutContentWidget(this);
    if (hasMoved) this.unfold();
  }

  /** Whether the caret is within a column of the position. */
  isNear({ lineNumber, column }: IPosition): boolean {
    return this.#position?.lineNumber === lineNumber && Math.abs(this.#position.column - column) <= 1;
  }

  /** Shows the name for a while. */
  unfold(): void {
    this.#node.classList.toggle('is-leftward', this.#isFarRight());
    this.#node.classList.remove('is-folded');
    clearTimeout(this.#foldTimer);
    this.#foldTimer = setTimeout(() => this.#node.classList.add('is-folded'), UNFOLDED_FOR);
  }

  dispose(): void {
    clearTimeout(this.#foldTimer);
    this.#codeEditor.removeContentWidget(this);
  }

  /** Where a flag to the right would leave the editor. */
  #isFarRight(): boolean {
    const visible = this.#position && this.#codeEditor.getScrolledVisiblePosition(this.#position);
    return (visible?.left ?? 0) > this.#codeEditor.getLayoutInfo().width * FAR_RIGHT;
  }
}
