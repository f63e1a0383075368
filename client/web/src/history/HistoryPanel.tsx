/** The panel beside the text: the versions of the prompt, newest first, and the way to save another one. */
import { type KeyboardEvent, useEffect, useRef, useState } from 'react';
import { copyText } from '../parts/copyText';
import { CloseIcon, PencilIcon, PlayIcon } from '../parts/icons';
import { notify } from '../parts/notices';
import { HISTORY_PANEL_ID } from './HistoryButton';
import { labelsOf } from './historyState';
import type { HistoryView } from './useHistoryView';
import { useMinute } from './useMinute';
import { VersionItem } from './VersionItem';
import './history.css';

export interface HistoryPanelProps {
  readonly view: HistoryView;
  readonly mayWrite: boolean;
}

export function HistoryPanel({ view, mayWrite }: HistoryPanelProps) {
  const panel = useRef<HTMLElement>(null);
  const { comparison, isPlayback, toggle, show, showPlayback } = view;

  // The keyboard comes along: between the button and the panel lies the text, which takes the tabulator for itself.
  useEffect(() => panel.current?.focus(), []);

  const onKeyDown = (event: KeyboardEvent): void => {
    // With a comparison or the past open, Escape is for that.
    if (event.key === 'Escape' && !comparison && !isPlayback) toggle();
  };

  return (
    <aside
      ref={panel}
      id={HISTORY_PANEL_ID}
      className="history"
      aria-label="History"
      tabIndex={-1}
      data-testid="history"
      onKeyDown={onKeyDown}
    >
      <header className="history-head">
        <h2>History</h2>
        <button type="button" className="push-button is-quiet is-icon" aria-label="Close history" onClick={toggle}>
          <CloseIcon />
        </button>
      </header>
      <div className="history-save">
        <button
          type="button"
          className="push-button is-primary"
          disabled={!mayWrite}
          title={mayWrite ? 'Keep the text as it is now, with a message' : 'Your role lets you read this prompt'}
          onClick={() => show('save')}
        >
          Save version…
        </button>
        <button
          type="button"
          className="push-button"
          aria-pressed={isPlayback}
          title="Every edit since the first, one after the other"
          onClick={() => showPlayback(!isPlayback)}
        >
          <PlayIcon /> Playback
        </button>
        <button
          type="button"
          className="push-button"
          aria-pressed={view.readBlame !== null}
          aria-keyshortcuts="Alt+Shift+W"
          title="Colors the margin of the text by who wrote it (Alt+Shift+W)"
          onClick={view.toggleBlame}
        >
          <PencilIcon /> Who wrote what
        </button>
      </div>
      <Versions view={view} />
    </aside>
  );
}

function Versions({ view }: { readonly view: HistoryView }) {
  const { state, problem, isLoadingOlder, loadOlder, reload } = view.history;
  const clipboard = useRef<HTMLTextAreaElement>(null);
  const [copied, setCopied] = useState('');
  useMinute();

  const copy = (versionId: string): void => {
    if (!clipboard.current) return;
    clipboard.current.value = versionId;
    copyText(versionId, clipboard.current)
      .then(() => setCopied(versionId))
      .catch(() => notify({ text: `The browser did not copy. The id is ${versionId}.`, kind: 'problem' }));
  };

  if (problem && !state.isLoaded) return <Problem text={problem} onRetry={reload} />;
  if (!state.isLoaded) return <Skeleton />;
  if (state.versions.length === 0) {
    return (
      <p className="history-empty">
        No versions yet. Every edit is stored by itself; a version is a moment to come back to, with a name for it.
      </p>
    );
  }
  return (
    <div className="history-scroll">
      <ul className="versions" data-testid="versions">
        {state.versions.map((version) => (
          <VersionItem
            key={version.id}
            version={version}
            labels={labelsOf(state.labels, version.id)}
            isChosen={version.id === view.comparison?.versionId}
            onChoose={() => view.choose(version.id)}
            onCopy={() => copy(version.id)}
          />
        ))}
      </ul>
      {problem && <Problem text={problem} onRetry={reload} />}
      {state.cursor && (
        <button type="button" className="push-button history-older" disabled={isLoadingOlder} onClick={loadOlder}>
          Show older
        </button>
      )}
      <textarea ref={clipboard} className="visually-hidden" readOnly tabIndex={-1} aria-hidden="true" />
      <span className="visually-hidden" role="status">
        {copied && `Copied ${copied}`}
      </span>
    </div>
  );
}

function Problem({ text, onRetry }: { readonly text: string; readonly onRetry: () => void }) {
  return (
    <div className="history-problem">
      <p className="problem" role="alert">
        {text}
      </p>
      <button type="button" className="push-button" onClick={onRetry}>
        Try again
      </button>
    </div>
  );
}

function Skeleton() {
  return (
    <div className="history-skeleton" aria-busy="true" role="img" aria-label="The versions are being loaded">
      {[72, 54, 64, 48].map((width) => (
        <span key={width} style={{ width: `${width}%` }} />
      ))}
    </div>
  );
}
