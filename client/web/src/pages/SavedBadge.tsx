import { useEffect, useState } from 'react';
import { describe, type SavedState } from '../live/savedState';
import './savedBadge.css';

/** `saving…` stays this long after the last edit: between two keys it would only flicker. In milliseconds. */
const SAVED_AFTER = 350;
/** A screen reader hears of a state that has lasted this long. In milliseconds. */
const SPOKEN_AFTER = 1_500;

/** Where the user's work stands. It may say `saving…` a moment too long, and never `saved` too early. */
export function SavedBadge({ saved }: { readonly saved: SavedState }) {
  const shown = useCalm(saved);
  const words = describe(shown);
  const spoken = useSettled(words, SPOKEN_AFTER);
  return (
    <>
      <span className="saved-badge" data-testid="saved-state" data-state={shown.kind} title={TITLES[shown.kind]}>
        {words}
      </span>
      <span className="visually-hidden" role="status" aria-live="polite">
        {spoken}
      </span>
    </>
  );
}

const TITLES: Readonly<Record<SavedState['kind'], string>> = {
  closed: 'The connection has ended.',
  connecting: 'Joining the room.',
  offline: 'There is no connection to the server. It is tried again by itself; your edits are kept and sent then.',
  unsaved: 'The server cannot store your edits now. They are kept in this page and sent when it can.',
  'read-only': 'Your role lets you read this prompt, not edit it.',
  saving: 'Your last edits are on their way to the database.',
  saved: 'Every edit you made is stored in the database.',
};

function useCalm(saved: SavedState): SavedState {
  const [isSaving, setSaving] = useState(false);
  const { kind } = saved;
  useEffect(() => {
    if (kind === 'saving') setSaving(true);
    if (kind !== 'saved') return;
    const timer = setTimeout(() => setSaving(false), SAVED_AFTER);
    return () => clearTimeout(timer);
  }, [kind]);
  return kind === 'saved' && isSaving ? { kind: 'saving', edits: 0 } : saved;
}

function useSettled(words: string, delay: number): string {
  const [settled, setSettled] = useState('');
  useEffect(() => {
    const timer = setTimeout(() => setSettled(words), delay);
    return () => clearTimeout(timer);
  }, [words, delay]);
  return settled;
}
