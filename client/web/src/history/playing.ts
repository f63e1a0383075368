/**
 * How fast the past plays: within a session as it was written, at a speed; the pauses between sessions take no longer
 * than one edit.
 */
import type { Session } from '../api/past';

/** How many times as fast as it was written. */
export const SPEEDS = [1, 10, 60] as const;

export type Speed = (typeof SPEEDS)[number];

/** In edits a second: however slowly somebody wrote, something happens. */
const SLOWEST = 1;

/** The last edit of the sessions, which are in order; 0 without any. */
export function headOf(sessions: readonly Session[]): number {
  return sessions.at(-1)?.to_seq ?? 0;
}

/** The session of an edit. */
export function sessionOf(sessions: readonly Session[], seq: number): Session | undefined {
  return sessions.find(({ from_seq, to_seq }) => from_seq <= seq && seq <= to_seq);
}

/** Where playing has come to after some time; positions are edits and parts of them. */
export function advanced(sessions: readonly Session[], position: number, seconds: number): number {
  let [at, left] = [position, seconds];
  for (const session of sessions) {
    if (at >= session.to_seq) continue;
    const rate = rateOf(session);
    const needed = (session.to_seq - at) / rate;
    if (needed > left) return at + left * rate;
    at = session.to_seq;
    left -= needed;
  }
  return at;
}

/** Edits a second. */
function rateOf({ from_seq, to_seq, started_at, ended_at }: Session): number {
  const seconds = (Date.parse(ended_at) - Date.parse(started_at)) / 1000;
  const edits = to_seq - from_seq + 1;
  return seconds > 0 ? Math.max(SLOWEST, edits / seconds) : Math.max(SLOWEST, edits);
}
