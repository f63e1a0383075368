/**
 * One prompt, live in this page: its document, presence, connection, and where its edits stand.
 *
 * Everything the page shows of it is in `snapshot`, which is replaced, never changed.
 */
import { Awareness } from 'y-protocols/awareness';
import * as Y from 'yjs';
import type { TokenSource } from '../account/token';
import { Unreachable } from '../api/http';
import { mayEdit, type Role, type RoomEvent } from '../wire/roomEvent';
import { type Absence, Connection, type ConnectionOptions, type FinalClosing } from './connection';
import { Peer } from './peer';
import { type SavedState, savedState } from './savedState';
import { Signal } from './signal';
import { Stash } from './stash';

/** The name of the shared text in every prompt's document. */
export const TEXT_NAME = 'content';

/** The origin of edits that a reload brought back: local, but not for the undo of this page. */
const FROM_STASH = Symbol('from stash');

export interface LiveSnapshot {
  readonly saved: SavedState;
  /** The text has arrived once; from here on the editor can be shown. */
  readonly ready: boolean;
  readonly writable: boolean;
  readonly storeAvailable: boolean;
  readonly role: Role;
  readonly userId: string;
  readonly name: string;
  readonly finalClosing: FinalClosing | null;
  /** Why the connection is away; meaningful while `saved` is `connecting` or `offline`. */
  readonly absence: Absence;
}

export interface LivePromptOptions {
  readonly promptId: string;
  readonly epoch: number;
  readonly name: string;
  readonly role: Role;
  readonly userId: string;
  readonly token: TokenSource;
  readonly openSocket?: NonNullable<ConnectionOptions['openSocket']>;
  readonly random?: () => number;
  readonly openStash?: (epoch: number) => Stash;
}

export class LivePrompt {
  readonly doc = new Y.Doc();
  readonly text = this.doc.getText(TEXT_NAME);
  readonly awareness = new Awareness(this.doc);
  readonly changed = new Signal();

  readonly #peer = new Peer(this.doc, this.awareness);
  /** What the server tells everybody here, as it comes. */
  readonly roomEvent = this.#peer.roomEvent;
  readonly #connection: Connection;
  readonly #stash: Stash;
  #adoption: 'due' | 'under way' | 'done' = 'due';
  #ready = false;
  #areEditsAbandoned = false;
  #role: Role;
  #name: string;
  #storeAvailable = true;
  #snapshot: LiveSnapshot;
  readonly #userId: string;

  constructor(options: LivePromptOptions) {
    const { promptId, epoch, token, openSocket, random } = options;
    this.#role = options.role;
    this.#name = options.name;
    this.#userId = options.userId;
    this.#stash =
      options.openStash?.(epoch) ?? new Stash({ userId: options.userId, promptId, epoch }, `${this.doc.clientID}`);
    this.#connection = new Connection({
      address: () => socketAddress(promptId, epoch),
      token,
      peer: this.#peer,
      ...(openSocket ? { openSocket } : {}),
      ...(random ? { random } : {}),
    });
    this.#snapshot = this.#read();
    this.doc.on('update', this.#onUpdate);
    this.#peer.changed.subscribe(() => this.#refresh());
    this.#peer.roomEvent.subscribe((event) => this.#take(event));
    this.#connection.changed.subscribe(() => this.#refresh());
  }

  get snapshot(): LiveSnapshot {
    return this.#snapshot;
  }

  /** How many local edits are not acknowledged: leaving now would risk them. None, once they were given up. */
  get unsavedEdits(): number {
    return this.#areEditsAbandoned ? 0 : this.#peer.ledger.edits;
  }

  start(): void {
    this.#connection.start();
  }

  /** Tries again at once, though it may have been over: the user asked for it. */
  retryNow(): void {
    this.#connection.retryNow();
  }

  /** Tries again at once if it would anyway: the network is back, or the tab is looked at. */
  retryIfWaiting(): void {
    if (this.#connection.status === 'waiting') this.#connection.retryNow();
  }

  renewToken(token: string): void {
    this.#connection.renewToken(token);
  }

  /** Resolves when the server has all of one's edits. Raises `Unreachable` when it cannot have them now. */
  allSaved(): Promise<void> {
    return new Promise((resolve, reject) => {
      const look = (): void => {
        const { kind } = this.#snapshot.saved;
        if (kind === 'saving') return;
        stop();
        if (kind === 'saved' || kind === 'read-only') resolve();
        else reject(new Unreachable(kind));
      };
      const stop = this.changed.subscribe(look);
      look();
    });
  }

  /** Writes waiting edits to the browser's storage, because the page may go away. */
  async keepForReload(): Promise<void> {
    await this.#stash.flush();
  }

  /** Gives up the edits that wait here, so that a reload does not bring back what the server refuses. */
  async abandonEdits(): Promise<void> {
    this.#areEditsAbandoned = true;
    await this.#stash.forget();
  }

  /** The name was changed here; others hear of it from the server. */
  renamed(name: string): void {
    this.#name = name;
    this.#refresh();
  }

  destroy(): void {
    this.#connection.stop();
    this.#peer.destroy();
    this.doc.off('update', this.#onUpdate);
    this.awareness.destroy();
    this.doc.destroy();
  }

  readonly #onUpdate = (update: Uint8Array, origin: unknown): void => {
    if (origin !== this.#peer) this.#stash.keep(update);
  };

  #take(event: RoomEvent): void {
    switch (event.type) {
      case 'room.joined':
        this.#storeAvailable = true;
        this.#role = event.role;
        break;
      case 'role.changed':
        this.#role = event.role;
        // The server stamps the role into our presence whenever we announce it.
        this.awareness.setLocalState(this.awareness.getLocalState());
        break;
      case 'prompt.updated':
        this.#name = event.name;
        break;
      case 'version.created':
      case 'label.moved':
        return;
      case 'store.unavailable':
        this.#storeAvailable = false;
        break;
      case 'store.available':
        this.#storeAvailable = true;
        break;
    }
    this.#refresh();
  }

  #refresh(): void {
    this.#ready ||= this.#peer.synced;
    if (this.#ready && mayEdit(this.#role) && this.#adoption === 'due') void this.#adoptStash();
    if (this.#peer.ledger.edits === 0 && this.#adoption === 'done') void this.#stash.forget();
    const next = this.#read();
    if (same(next, this.#snapshot)) return;
    this.#snapshot = next;
    this.changed.emit();
  }

  async #adoptStash(): Promise<void> {
    this.#adoption = 'under way';
    for (const update of await this.#stash.adopt()) Y.applyUpdate(this.doc, update, FROM_STASH);
    this.#adoption = 'done';
    this.#refresh();
  }

  #read(): LiveSnapshot {
    const writable = mayEdit(this.#role);
    return {
      saved: savedState({
        status: this.#connection.status,
        synced: this.#peer.synced,
        everSynced: this.#ready,
        edits: this.#peer.ledger.edits,
        writable,
        storeAvailable: this.#storeAvailable,
      }),
      ready: this.#ready,
      writable,
      storeAvailable: this.#storeAvailable,
      role: this.#role,
      userId: this.#userId,
      name: this.#name,
      finalClosing: this.#connection.finalClosing,
      absence: this.#connection.absence,
    };
  }
}

function socketAddress(promptId: string, epoch: number): string {
  const address = new URL(`/ws/${encodeURIComponent(promptId)}`, globalThis.location.href);
  address.protocol = address.protocol === 'https:' ? 'wss:' : 'ws:';
  address.searchParams.set('epoch', String(epoch));
  return address.href;
}

function same(a: LiveSnapshot, b: LiveSnapshot): boolean {
  const { saved: savedA, ...restA } = a;
  const { saved: savedB, ...restB } = b;
  if (savedA.kind !== savedB.kind || savedA.edits !== savedB.edits) return false;
  return (Object.keys(restA) as (keyof typeof restA)[]).every((key) => restA[key] === restB[key]);
}
