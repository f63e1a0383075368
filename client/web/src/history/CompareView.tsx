/** A version beside the live text or another version, over the editor; and what can be done with that version. */
import { lazy, Suspense, useCallback, useEffect, useRef, useState } from 'react';
import type { ThemeName } from '../dotprompt/palettes';
import type { DiffPaneHandle } from '../editor/DiffPane';
import { BackIcon, DownIcon, RestoreIcon, TagIcon, UpIcon } from '../parts/icons';
import { type Comparison, LIVE, nameOf, sidesOf } from './comparison';
import { shortId, titleOf } from './historyState';
import { useContent } from './useContent';
import type { HistoryView } from './useHistoryView';
import './compare.css';

const DiffPane = lazy(() => import('../editor/DiffPane').then((module) => ({ default: module.DiffPane })));

export interface CompareViewProps {
  readonly view: HistoryView;
  readonly comparison: Comparison;
  readonly mayWrite: boolean;
  readonly theme: ThemeName;
}

export function CompareView(props: CompareViewProps) {
  const { view, comparison, theme } = props;
  const { place, compare } = view;
  const { versions } = view.history.state;
  const [older, newer] = sidesOf(comparison, versions);
  const before = useContent(place.promptId, older);
  const after = useContent(place.promptId, newer);
  const pane = useRef<DiffPaneHandle>(null);
  const section = useRef<HTMLElement>(null);
  const [changes, setChanges] = useState<number | null>(null);
  const go = useCallback((where: 'next' | 'previous') => pane.current?.go(where), []);
  const close = useCallback(() => compare(null), [compare]);
  useKeys({ close, go });

  // Where the list has made room for the texts, the focus went with it.
  useEffect(() => {
    if (document.activeElement === document.body) section.current?.focus();
  }, []);

  const afterText = newer.kind === 'live' ? place.live.text : after.text;
  const problem = before.problem || after.problem;
  return (
    <section ref={section} className="compare" aria-label="Comparison" tabIndex={-1} data-testid="compare">
      <CompareBar {...props} changes={changes} go={go} close={close} />
      <div className="compare-sides">
        <span data-testid="older">{nameOf(older, versions)}</span>
        <span aria-hidden="true">→</span>
        <span data-testid="newer">{nameOf(newer, versions)}</span>
      </div>
      <div className="compare-texts">
        {problem && (
          <p className="problem" role="alert">
            {problem}
          </p>
        )}
        {before.text !== null && afterText !== null && (
          <Suspense>
            <DiffPane ref={pane} before={before.text} after={afterText} theme={theme} onCounted={setChanges} />
          </Suspense>
        )}
      </div>
    </section>
  );
}

interface CompareBarProps extends CompareViewProps {
  readonly changes: number | null;
  readonly go: (where: 'next' | 'previous') => void;
  readonly close: () => void;
}

function CompareBar({ view, comparison, mayWrite, changes, go, close }: CompareBarProps) {
  const { compare, show } = view;
  const { versions } = view.history.state;
  const chosen = versions.find(({ id }) => id === comparison.versionId);
  const [parentId] = chosen?.parent_ids ?? [];
  return (
    <header className="compare-bar">
      <button
        type="button"
        className="push-button is-quiet is-icon"
        aria-label="Back to the text"
        title="Back to the text (Escape)"
        onClick={close}
      >
        <BackIcon />
      </button>
      <h2 title={chosen && titleOf(chosen)}>
        <code>{shortId(comparison.versionId)}</code> {chosen && titleOf(chosen)}
      </h2>
      <label className="compare-against">
        <span>with</span>
        <select
          className="text-input"
          aria-label="Compare with"
          value={comparison.against}
          onChange={(event) => compare({ ...comparison, against: event.target.value })}
        >
          <option value={LIVE}>Live text</option>
          {parentId && <option value={parentId}>Version before ({shortId(parentId)})</option>}
          {versions
            .filter(({ id }) => id !== comparison.versionId && id !== parentId)
            .map((version) => (
              <option key={version.id} value={version.id}>
                {shortId(version.id)} {titleOf(version)}
              </option>
            ))}
        </select>
      </label>
      <div className="compare-walk">
        <span role="status" data-testid="changes">
          {describe(changes)}
        </span>
        <button
          type="button"
          className="push-button is-quiet is-icon"
          aria-label="Previous change"
          title="Previous change (Shift+F7)"
          disabled={!changes}
          onClick={() => go('previous')}
        >
          <UpIcon />
        </button>
        <button
          type="button"
          className="push-button is-quiet is-icon"
          aria-label="Next change"
          title="Next change (F7)"
          disabled={!changes}
          onClick={() => go('next')}
        >
          <DownIcon />
        </button>
      </div>
      {mayWrite && (
        <div className="compare-actions">
          <button type="button" className="push-button" onClick={() => show('labels')}>
            <TagIcon /> Labels…
          </button>
          <button
            type="button"
            className="push-button is-primary"
            aria-label="Restore this version"
            onClick={() => show('restore')}
          >
            <RestoreIcon /> Restore…
          </button>
        </div>
      )}
    </header>
  );
}

function describe(changes: number | null): string {
  if (changes === null) return '';
  if (changes === 0) return 'No differences';
  return changes === 1 ? '1 change' : `${changes} changes`;
}

interface Keys {
  readonly close: () => void;
  readonly go: (where: 'next' | 'previous') => void;
}

/** Escape goes back to the text, F7 and Shift+F7 from change to change; not while a dialog is open. */
function useKeys({ close, go }: Keys): void {
  useEffect(() => {
    const onKeyDown = (event: KeyboardEvent): void => {
      if (event.defaultPrevented || document.querySelector('dialog[open]')) return;
      if (event.key === 'Escape') close();
      else if (event.key === 'F7') go(event.shiftKey ? 'previous' : 'next');
      else return;
      event.preventDefault();
    };
    addEventListener('keydown', onKeyDown);
    return () => removeEventListener('keydown', onKeyDown);
  }, [close, go]);
}
