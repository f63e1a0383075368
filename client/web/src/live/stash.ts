/**
 * Unacknowledged edits survive a reload of the tab: they are written to IndexedDB while they wait.
 *
 * Rules
 *   1. A record belongs to one user, prompt and epoch. Another user of the same browser never sends it (the
 *      client ids in it are bound to its author), and a document of another epoch never merges it.
 *   2. Each tab writes one record of its own. A tab that opens the prompt adopts what other tabs left; doing so
 *      twice is harmless, because the server knows an update it already has.
 *   3. A record is removed when everything in it is acknowledged, and only if nothing was added meanwhile.
 *   4. Typing that is acknowledged at once never reaches the disk.
 *   5. Storage that is refused or full costs this safety net and nothing else.
 */
import * as Y from 'yjs';
import { type Collection, openCollection } from './collection';

export interface StashOwner {
  readonly userId: string;
  readonly promptId: string;
  readonly epoch: number;
}

export interface StashRecord {
  readonly owner: string;
  readonly tab: string;
  /** Oldest first; each small enough for a frame. */
  readonly updates: readonly Uint8Array[];
  readonly at: number;
}

/** An edit that is acknowledged within this time is not written. In milliseconds. */
const WRITE_AFTER = 250;
/** What nobody came back for is removed after this time. In milliseconds. */
const KEEP_FOR = 30 * 24 * 3600 * 1000;
/** Updates are merged up to this size: with the largest paste they still fit into a frame. In bytes. */
const MERGE_UP_TO = 1024 * 1024;

export class Stash {
  readonly #owner: string;
  readonly #tab: string;
  readonly #collection: Promise<Collection<StashRecord> | null>;
  #kept: readonly Uint8Array[] = [];
  #added: Uint8Array[] = [];
  #written = false;
  #adopted: StashRecord[] = [];
  #timer: ReturnType<typeof setTimeout> | undefined;

  constructor(owner: StashOwner, tab: string, open: typeof openCollection<StashRecord> = openCollection) {
    this.#owner = `${owner.userId}/${owner.promptId}/${owner.epoch}`;
    this.#tab = tab;
    this.#collection = open('unsent', ['owner', 'tab']).catch(() => null);
  }

  /** The edits that tabs of this user left behind, to be applied as local edits. */
  async adopt(): Promise<Uint8Array[]> {
    const collection = await this.#collection;
    if (!collection) return [];
    const records = await collection.all().catch(() => []);
    const tooOld = Date.now() - KEEP_FOR;
    for (const old of records.filter((record) => record.at < tooOld)) void this.#remove(old);
    this.#adopted = records.filter((record) => record.owner === this.#owner && record.at >= tooOld);
    return this.#adopted.flatMap((record) => record.updates);
  }

  /** An edit waits for its acknowledgement. */
  keep(update: Uint8Array): void {
    this.#added.push(update);
    this.#timer ??= setTimeout(() => void this.flush(), WRITE_AFTER);
  }

  /** Everything is acknowledged, or shall not be sent any more: removes what was written and adopted. */
  async forget(): Promise<void> {
    clearTimeout(this.#timer);
    this.#timer = undefined;
    this.#kept = [];
    this.#added = [];
    const removals = this.#adopted.map((record) => this.#remove(record));
    if (this.#written) removals.push(this.#removeOwn());
    this.#written = false;
    this.#adopted = [];
    await Promise.all(removals);
  }

  /** Writes what waits now: the page is being hidden, or the time has come. */
  async flush(): Promise<void> {
    clearTimeout(this.#timer);
    this.#timer = undefined;
    if (this.#added.length === 0) return;
    const updates = append(this.#kept, Y.mergeUpdates(this.#added));
    this.#kept = updates;
    this.#added = [];
    this.#written = true;
    const collection = await this.#collection;
    // `forget` may have come while the database was opening.
    if (this.#kept !== updates) return;
    await collection?.put({ owner: this.#owner, tab: this.#tab, updates, at: Date.now() }).catch(() => undefined);
  }

  async #removeOwn(): Promise<void> {
    const collection = await this.#collection;
    await collection?.remove([this.#owner, this.#tab]).catch(() => undefined);
  }

  async #remove({ owner, tab, at }: StashRecord): Promise<void> {
    const collection = await this.#collection;
    await collection?.removeIf([owner, tab], (current) => current.at === at).catch(() => undefined);
  }
}

/** Adds an update, merged with the last one while that is small. */
function append(updates: readonly Uint8Array[], update: Uint8Array): readonly Uint8Array[] {
  const last = updates.at(-1);
  if (!last || last.byteLength > MERGE_UP_TO) return [...updates, update];
  return [...updates.slice(0, -1), Y.mergeUpdates([last, update])];
}
