/**
 * The one line that says where the user's work is. It never claims more than the server has acknowledged.
 *
 * Rules, the first that fits
 *   1. closed       the connection will not come back by itself.
 *   2. connecting   nothing has been received yet; there is no text to work on.
 *   3. offline      there is no connection, or one that has not caught up; edits wait here.
 *   4. unsaved      edits cannot be stored now: the database is away, or the role no longer allows them.
 *   5. read-only    the role does not allow edits and there are none.
 *   6. saving       edits are under way and not acknowledged.
 *   7. saved        every edit made here is committed.
 */
import type { ConnectionStatus } from './connection';

export interface SavedFacts {
  readonly status: ConnectionStatus;
  /** The server's step 2 has arrived on this connection. */
  readonly synced: boolean;
  /** It has arrived at least once since the page was opened. */
  readonly everSynced: boolean;
  /** Local edits that are not acknowledged. */
  readonly edits: number;
  readonly writable: boolean;
  readonly storeAvailable: boolean;
}

export type SavedKind = 'closed' | 'connecting' | 'offline' | 'unsaved' | 'read-only' | 'saving' | 'saved';

export interface SavedState {
  readonly kind: SavedKind;
  readonly edits: number;
}

/** Derives the state from the facts. */
export function savedState(facts: SavedFacts): SavedState {
  return { kind: savedKind(facts), edits: facts.edits };
}

function savedKind({ status, synced, everSynced, edits, writable, storeAvailable }: SavedFacts): SavedKind {
  if (status === 'closed') return 'closed';
  if (!everSynced) return 'connecting';
  if (status !== 'open' || !synced) return 'offline';
  if (edits > 0 && (!storeAvailable || !writable)) return 'unsaved';
  if (!writable) return 'read-only';
  return edits > 0 ? 'saving' : 'saved';
}

/** The words the user reads. */
export function describe({ kind, edits }: SavedState): string {
  switch (kind) {
    case 'closed':
      return edits > 0 ? 'not saved, kept here' : 'disconnected';
    case 'connecting':
      return 'connecting…';
    case 'offline':
      return edits > 0 ? `offline: ${count(edits)} kept here` : 'offline, all edits saved';
    case 'unsaved':
      return 'not saved, kept here';
    case 'read-only':
      return 'read only';
    case 'saving':
      return 'saving…';
    case 'saved':
      return 'saved';
  }
}

/** `1 edit`, `2 edits`. */
export function count(edits: number): string {
  return edits === 1 ? '1 edit' : `${edits} edits`;
}
