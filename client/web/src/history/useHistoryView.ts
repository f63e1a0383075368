/** What of the history is on the screen: the panel, a comparison, a dialog. */
import { useCallback, useEffect, useMemo, useRef, useState } from 'react';
import { useAccount } from '../account/AccountContext';
import { readBlame as ask, type Blame } from '../api/past';
import type { LivePrompt } from '../live/livePrompt';
import { type Comparison, LIVE } from './comparison';
import type { Place } from './restore';
import { type History, useHistory } from './useHistory';

/** Where the panel lies over the text and not beside it; as in the style sheets. */
const NARROW = '(max-width: 820px)';

export type HistoryDialog = 'save' | 'restore' | 'labels';

export interface HistoryView {
  readonly place: Place;
  readonly history: History;
  readonly isOpen: boolean;
  readonly comparison: Comparison | null;
  /** Whether the past is played, in the place of the text. */
  readonly isPlayback: boolean;
  /** Reads who wrote what, where that is wanted in the margin. */
  readonly readBlame: ((signal: AbortSignal) => Promise<Blame>) | null;
  readonly dialog: HistoryDialog | null;
  /** Opens the panel, or closes it and gives the focus back to whoever had it. */
  readonly toggle: () => void;
  /** Shows in the margin who wrote what, or no longer. */
  readonly toggleBlame: () => void;
  /** Compares a version with the live text. */
  readonly choose: (versionId: string) => void;
  readonly compare: (comparison: Comparison | null) => void;
  /** Shows the past instead of the text or a comparison, or the text again. */
  readonly showPlayback: (isShown: boolean) => void;
  readonly show: (dialog: HistoryDialog | null) => void;
}

export function useHistoryView(live: LivePrompt, promptId: string): HistoryView {
  const { client } = useAccount();
  const [isOpen, setOpen] = useState(false);
  const [comparison, compare] = useState<Comparison | null>(null);
  const [isPlayback, setPlayback] = useState(false);
  const [dialog, show] = useState<HistoryDialog | null>(null);
  const history = useHistory(live, promptId, isOpen || comparison !== null);
  const place = useMemo(() => ({ client, promptId, live }), [client, promptId, live]);
  const focusedBefore = useRef<Element | null>(null);

  const toggle = useCallback((): void => {
    if (!isOpen) focusedBefore.current = document.activeElement;
    else if (focusedBefore.current instanceof HTMLElement) focusedBefore.current.focus();
    setOpen(!isOpen);
  }, [isOpen]);
  useShortcut('KeyH', toggle);

  const [isBlame, setBlame] = useState(false);
  const toggleBlame = useCallback((): void => setBlame((isShown) => !isShown), []);
  useShortcut('KeyW', toggleBlame);
  const readBlame = useMemo(() => {
    return isBlame ? (signal: AbortSignal) => ask(client, promptId, signal) : null;
  }, [client, promptId, isBlame]);

  const choose = useCallback((versionId: string): void => {
    compare({ versionId, against: LIVE });
    setPlayback(false);
    if (matchMedia(NARROW).matches) setOpen(false);
  }, []);

  const showPlayback = useCallback((isShown: boolean): void => {
    compare(null);
    setPlayback(isShown);
    if (isShown && matchMedia(NARROW).matches) setOpen(false);
  }, []);

  return {
    place,
    history,
    isOpen,
    comparison,
    isPlayback,
    readBlame,
    dialog,
    toggle,
    toggleBlame,
    choose,
    compare,
    showPlayback,
    show,
  };
}

/** A key with Alt+Shift, by its place: with Alt, some layouts write another letter. */
function useShortcut(code: string, run: () => void): void {
  useEffect(() => {
    const onKeyDown = (event: KeyboardEvent): void => {
      if (!(event.altKey && event.shiftKey && event.code === code) || event.ctrlKey || event.metaKey) return;
      if (document.querySelector('dialog[open]')) return;
      event.preventDefault();
      run();
    };
    addEventListener('keydown', onKeyDown);
    return () => removeEventListener('keydown', onKeyDown);
  }, [code, run]);
}
