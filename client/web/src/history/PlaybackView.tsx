/** The past of the text over the editor: a slider over every edit, and the text as it stood there. */
import { type KeyboardEvent, lazy, Suspense, useCallback, useEffect, useRef } from 'react';
import { kindInWords } from '../api/past';
import type { ThemeName } from '../dotprompt/palettes';
import { Avatar } from '../parts/Avatar';
import { BackIcon, PauseIcon, PlayIcon } from '../parts/icons';
import { SPEEDS, type Speed, sessionOf } from './playing';
import { SessionMarks } from './SessionMarks';
import type { HistoryView } from './useHistoryView';
import { type Playback, usePlayback } from './usePlayback';
import './compare.css';
import './playback.css';

const TextPane = lazy(() => import('../editor/TextPane').then((module) => ({ default: module.TextPane })));

export interface PlaybackViewProps {
  readonly view: HistoryView;
  readonly theme: ThemeName;
}

export function PlaybackView({ view, theme }: PlaybackViewProps) {
  const { place, showPlayback } = view;
  const playback = usePlayback(place);
  const { sessions, moment, problem } = playback;
  const close = useCallback(() => showPlayback(false), [showPlayback]);
  useEscape(close);

  return (
    <section className="compare" aria-label="Playback" data-testid="playback">
      <PlaybackBar playback={playback} onClose={close} />
      <div className="compare-texts">
        {problem && (
          <p className="problem" role="alert">
            {problem}
          </p>
        )}
        {sessions?.length === 0 && <p className="playback-empty">Nothing has been written here yet.</p>}
        {moment && (
          <Suspense>
            <TextPane text={moment.content} theme={theme} label="Text at this moment" />
          </Suspense>
        )}
      </div>
      {sessions && sessions.length > 0 && <Slider playback={playback} theme={theme} />}
    </section>
  );
}

function PlaybackBar({ playback, onClose }: { readonly playback: Playback; readonly onClose: () => void }) {
  const { sessions, head, moment, isPlaying, speed, togglePlaying, setSpeed } = playback;
  const isEmpty = !sessions || sessions.length === 0;
  return (
    <header className="compare-bar">
      <button
        type="button"
        className="push-button is-quiet is-icon"
        aria-label="Back to the text"
        title="Back to the text (Escape)"
        onClick={onClose}
      >
        <BackIcon />
      </button>
      <h2>Playback</h2>
      {moment && (
        <p className="playback-moment" data-testid="moment" data-seq={moment.seq}>
          <Avatar name={moment.user.name} color={moment.user.color} />
          <span className="playback-who">{moment.user.name}</span>
          <span>{kindInWords(moment.kind)}</span>
          <time dateTime={moment.created_at}>{inWords(moment.created_at)}</time>
          <span>
            edit {moment.seq} of {head}
          </span>
        </p>
      )}
      <div className="compare-actions">
        <label className="compare-against">
          <span>Speed</span>
          <select
            className="text-input"
            value={speed}
            onChange={(event) => setSpeed(Number(event.target.value) as Speed)}
          >
            {SPEEDS.map((each) => (
              <option key={each} value={each}>
                {each}×
              </option>
            ))}
          </select>
        </label>
        <button type="button" className="push-button is-primary" disabled={isEmpty} onClick={togglePlaying}>
          {isPlaying ? <PauseIcon /> : <PlayIcon />} {isPlaying ? 'Pause' : 'Play'}
        </button>
      </div>
    </header>
  );
}

function Slider({ playback, theme }: { readonly playback: Playback; readonly theme: ThemeName }) {
  const { sessions, head, seq, goTo, togglePlaying } = playback;
  const input = useRef<HTMLInputElement>(null);
  useEffect(() => input.current?.focus(), []);

  const onKeyDown = (event: KeyboardEvent): void => {
    if (event.key !== ' ') return;
    event.preventDefault();
    togglePlaying();
  };

  return (
    <div className="playback-slider">
      <input
        ref={input}
        type="range"
        min={1}
        max={head}
        value={seq}
        aria-label="Moment"
        aria-valuetext={describe(playback)}
        title="Arrow keys: edit by edit. Space: play or pause."
        onChange={(event) => goTo(event.target.valueAsNumber)}
        onKeyDown={onKeyDown}
      />
      <SessionMarks sessions={sessions ?? []} head={head} theme={theme} />
    </div>
  );
}

/** When and who, as exactly as it is known before the text has come. */
function describe({ sessions, head, seq, moment }: Playback): string {
  const place = `edit ${seq} of ${head}`;
  if (moment?.seq === seq) return `${inWords(moment.created_at)}, ${moment.user.name}, ${place}`;
  const session = sessionOf(sessions ?? [], seq);
  if (!session) return place;
  return `${inWords(session.started_at)}, ${session.users.map(({ name }) => name).join(', ')}, ${place}`;
}

function inWords(date: string): string {
  return new Date(date).toLocaleString(undefined, { dateStyle: 'medium', timeStyle: 'medium' });
}

/** Escape goes back to the text; not while a dialog is open. */
function useEscape(close: () => void): void {
  useEffect(() => {
    const onKeyDown = (event: globalThis.KeyboardEvent): void => {
      if (event.key !== 'Escape' || event.defaultPrevented || document.querySelector('dialog[open]')) return;
      event.preventDefault();
      close();
    };
    addEventListener('keydown', onKeyDown);
    return () => removeEventListener('keydown', onKeyDown);
  }, [close]);
}
