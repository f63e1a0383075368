/**
 * What a close code asks of us: come back (when?), come back with a fresh token, or stay away.
 *
 * 4400-4499 are final, except 4401, which a fresh token may answer. Everything else is retried; 1012
 * carries the delay in its reason, so that a restarting server is not stormed by everybody at once.
 */

export type Closing =
  | { readonly kind: 'retry'; readonly delay: number | null }
  | { readonly kind: 'fresh-token' }
  | { readonly kind: 'final'; readonly code: number; readonly reason: string };

const SERVICE_RESTART = 1012;
const NOT_AUTHENTICATED = 4401;

/** No server asks for a longer wait than this; a larger number in a reason is a mistake. In milliseconds. */
const LONGEST_DELAY = 60_000;

/** Decides what follows a close with `code` and `reason`. */
export function readClosing(code: number, reason: string): Closing {
  if (code === NOT_AUTHENTICATED) return { kind: 'fresh-token' };
  if (code >= 4400 && code <= 4499) return { kind: 'final', code, reason };
  return { kind: 'retry', delay: code === SERVICE_RESTART ? readDelay(reason) : null };
}

/** The first number of a reason such as `restarting; retry in 1250 ms` or `1.25`, in milliseconds. */
export function readDelay(reason: string): number | null {
  const found = /(\d+(?:\.\d+)?)\s*(ms)?/i.exec(reason);
  if (!found?.[1]) return null;
  const delay = Number(found[1]) * (found[2] ? 1 : 1000);
  return Math.min(delay, LONGEST_DELAY);
}
