import { useEffect, useRef } from 'react';
import type { Refusal } from '../binding/binding';
import type { ThemeName } from '../dotprompt/palettes';
import type { LivePrompt } from '../live/livePrompt';
import type { ReadBlame } from './blameMargin';
import { PromptEditor } from './promptEditor';
import { offerToScripts } from './scripting';
import './editorPane.css';

export interface EditorPaneProps {
  readonly live: LivePrompt;
  readonly writable: boolean;
  readonly theme: ThemeName;
  /** Whether something else lies over the text; when that goes away, the keyboard writes into the text again. */
  readonly isCovered: boolean;
  /** Reads who wrote what, to be shown in the margin; `null`: it is not. */
  readonly readBlame: ReadBlame | null;
  /** Both must stay the same functions: others make another editor. */
  readonly onRefused: (refusal: Refusal) => void;
  readonly onSaveKey: () => void;
}

/** The prompt's text in Monaco. */
export function EditorPane({ live, writable, theme, isCovered, readBlame, onRefused, onSaveKey }: EditorPaneProps) {
  const host = useRef<HTMLDivElement>(null);
  const editor = useRef<PromptEditor | null>(null);
  const initialTheme = useRef(theme);

  useEffect(() => {
    if (!host.current) return;
    const made = new PromptEditor({ host: host.current, live, theme: initialTheme.current, onRefused, onSaveKey });
    const withdraw = offerToScripts(made.codeEditor);
    editor.current = made;
    made.codeEditor.focus();
    return () => {
      withdraw();
      editor.current = null;
      made.dispose();
    };
  }, [live, onRefused, onSaveKey]);

  // biome-ignore lint/correctness/useExhaustiveDependencies: the editor reads the role itself when it changes.
  useEffect(() => editor.current?.followRole(), [writable]);

  useEffect(() => {
    initialTheme.current = theme;
    editor.current?.setTheme(theme);
  }, [theme]);

  // biome-ignore lint/correctness/useExhaustiveDependencies: another prompt has another editor.
  useEffect(() => editor.current?.showBlame(readBlame), [readBlame, live]);

  useEffect(() => {
    if (!isCovered) return;
    return () => editor.current?.codeEditor.focus();
  }, [isCovered]);

  return (
    <div ref={host} className={`editor-pane monaco-component${isCovered ? ' is-covered' : ''}`} data-testid="editor" />
  );
}
