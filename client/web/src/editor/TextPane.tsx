import { useEffect, useRef } from 'react';
import type { ThemeName } from '../dotprompt/palettes';
import { TextView } from './textView';
import './editorPane.css';

export interface TextPaneProps {
  readonly text: string;
  readonly theme: ThemeName;
  /** What the text is called by screen readers. */
  readonly label: string;
}

/** A text that can be read and not written; another text takes its place without a jump. */
export function TextPane({ text, theme, label }: TextPaneProps) {
  const host = useRef<HTMLDivElement>(null);
  const view = useRef<TextView | null>(null);
  // Later themes come from the prompt's own editor: Monaco has one theme for all.
  const initialTheme = useRef(theme);

  useEffect(() => {
    if (!host.current) return;
    const made = new TextView(host.current, initialTheme.current, label);
    view.current = made;
    return () => {
      view.current = null;
      made.dispose();
    };
  }, [label]);

  useEffect(() => view.current?.show(text), [text]);

  return <div ref={host} className="editor-pane monaco-component" data-testid="past-text" />;
}
