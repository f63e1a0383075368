/** The past of a prompt for components: where in it one is, the text there, and whether it plays. */
import { useCallback, useEffect, useRef, useState } from 'react';
import { explain } from '../api/http';
import { type Moment, readMoment, readSessions, type Session } from '../api/past';
import { MomentReader } from './momentReader';
import { advanced, headOf, type Speed } from './playing';
import type { Place } from './restore';

/** In milliseconds. */
const TICK = 100;

export interface Playback {
  /** The oldest first; `null` until they have come. */
  readonly sessions: readonly Session[] | null;
  readonly head: number;
  /** Where one is: the number of an edit. */
  readonly seq: number;
  /** The last that came: perhaps not yet that of `seq`. */
  readonly moment: Moment | null;
  readonly problem: string;
  readonly isPlaying: boolean;
  readonly speed: Speed;
  readonly goTo: (seq: number) => void;
  /** Plays or stops; from the beginning where the end is reached. */
  readonly togglePlaying: () => void;
  readonly setSpeed: (speed: Speed) => void;
}

export function usePlayback({ client, promptId }: Place): Playback {
  const [sessions, setSessions] = useState<readonly Session[] | null>(null);
  const [seq, setSeq] = useState(0);
  const [moment, setMoment] = useState<Moment | null>(null);
  const [problem, setProblem] = useState('');
  const [isPlaying, setPlaying] = useState(false);
  const [speed, setSpeed] = useState<Speed>(10);
  const reader = useRef<MomentReader | null>(null);
  /** As `seq`, and how far playing is on the way to the next. */
  const position = useRef(0);
  const head = headOf(sessions ?? []);

  const go = useCallback((to: number, options: { readonly atOnce: boolean }): void => {
    position.current = to;
    setSeq(Math.floor(to));
    reader.current?.want(Math.floor(to), options);
  }, []);

  useEffect(() => {
    const leaving = new AbortController();
    const fail = (error: unknown): void => {
      setPlaying(false);
      setProblem(explain(error));
    };
    const made = new MomentReader({
      read: (wanted, signal) => readMoment(client, promptId, wanted, signal),
      onMoment: (come) => {
        setProblem('');
        setMoment(come);
      },
      onProblem: fail,
    });
    reader.current = made;
    readSessions(client, promptId, leaving.signal)
      .then((found) => {
        setSessions(found);
        if (found.length > 0) go(headOf(found), { atOnce: true });
      })
      .catch((error: unknown) => leaving.signal.aborted || fail(error));
    return () => {
      leaving.abort();
      made.dispose();
      reader.current = null;
    };
  }, [client, promptId, go]);

  useEffect(() => {
    if (!(isPlaying && sessions)) return;
    const timer = setInterval(() => {
      // Where the server takes its time, playing does.
      if (!reader.current?.isAtRest) return;
      const next = advanced(sessions, position.current, (TICK / 1000) * speed);
      if (Math.floor(next) === Math.floor(position.current)) position.current = next;
      else go(next, { atOnce: true });
      if (next >= head) setPlaying(false);
    }, TICK);
    return () => clearInterval(timer);
  }, [isPlaying, sessions, speed, head, go]);

  const goTo = useCallback((to: number) => go(to, { atOnce: false }), [go]);

  const togglePlaying = useCallback((): void => {
    if (!isPlaying && position.current >= head) go(1, { atOnce: true });
    setPlaying(!isPlaying);
  }, [isPlaying, head, go]);

  return { sessions, head, seq, moment, problem, isPlaying, speed, goTo, togglePlaying, setSpeed };
}
