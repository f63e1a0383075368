import { type Ref, useEffect, useImperativeHandle, useRef } from 'react';
import type { ThemeName } from '../dotprompt/palettes';
import { type DiffText, DiffView } from './diffView';
import './editorPane.css';

export interface DiffPaneHandle {
  readonly go: (where: 'next' | 'previous') => void;
}

export interface DiffPaneProps {
  readonly before: DiffText;
  readonly after: DiffText;
  readonly theme: ThemeName;
  /** Must stay the same function: another makes another editor. */
  readonly onCounted: (changes: number) => void;
  readonly ref: Ref<DiffPaneHandle>;
}

/** Two texts and how they differ. */
export function DiffPane({ before, after, theme, onCounted, ref }: DiffPaneProps) {
  const host = useRef<HTMLDivElement>(null);
  const view = useRef<DiffView | null>(null);
  // Later themes come from the prompt's own editor: Monaco has one theme for all.
  const initialTheme = useRef(theme);

  useEffect(() => {
    if (!host.current) return;
    const made = new DiffView({ host: host.current, theme: initialTheme.current, before, after, onCounted });
    view.current = made;
    return () => {
      view.current = null;
      made.dispose();
    };
  }, [before, after, onCounted]);

  useImperativeHandle(ref, () => ({ go: (where) => view.current?.go(where) }), []);

  return <div ref={host} className="editor-pane monaco-component" data-testid="diff" />;
}
