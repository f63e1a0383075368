/**
 * The protocol state of this end of a connection, without any socket: frames in, frames out.
 *
 * States
 *   closed    nothing can be sent; local edits are kept in the ledger.
 *   open      a step 1 and our presence are sent. Local edits are still kept: an edit sent before our step 2
 *             could depend on one the server does not have.
 *   answered  the server asked with a step 1 and got our step 2; from here every local edit is sent at once.
 *   The server may send a step 1 again at any time; it gets another step 2.
 *
 * Independent of that, `synced` says whether the server's step 2 has arrived on this connection.
 * Source: y-protocols PROTOCOL.md.
 */
import {
  type Awareness,
  applyAwarenessUpdate,
  encodeAwarenessUpdate,
  removeAwarenessStates,
} from 'y-protocols/awareness';
import * as Y from 'yjs';
import { readState } from '../wire/awareness';
import { decodeFrame, encode, MAX_FRAME_BYTES } from '../wire/codec';
import type { Message } from '../wire/message';
import { type RoomEvent, readRoomEvent } from '../wire/roomEvent';
import { Ledger } from './ledger';
import { Signal } from './signal';

/** Above this a step 2 is sent as the edits it consists of: far enough below the server's bound on a frame. */
const LARGEST_STEP_2_BYTES = MAX_FRAME_BYTES / 2;

const EMPTY_UPDATE = Uint8Array.of(0, 0);

type Transmit = (frame: Uint8Array) => void;

interface AwarenessChange {
  readonly added: number[];
  readonly updated: number[];
  readonly removed: number[];
}

export class Peer {
  readonly ledger = new Ledger();
  /** The ledger or `synced` changed. */
  readonly changed = new Signal();
  readonly roomEvent = new Signal<RoomEvent>();
  readonly doc: Y.Doc;
  readonly awareness: Awareness;

  #transmit: Transmit | null = null;
  #answered = false;
  #synced = false;
  #askedForGap = false;

  constructor(doc: Y.Doc, awareness: Awareness) {
    this.doc = doc;
    this.awareness = awareness;
    doc.on('update', this.#onUpdate);
    awareness.on('update', this.#onAwareness);
  }

  /** Whether everything the server had when we connected is here. */
  get synced(): boolean {
    return this.#synced;
  }

  /** A connection is open; frames go to `transmit` until `closed`. */
  open(transmit: Transmit): void {
    this.#transmit = transmit;
    this.ledger.restart();
    this.#askForSync();
    // A higher clock: the server may hold our last state from a connection it has not found dead yet.
    this.awareness.setLocalState(this.awareness.getLocalState());
    this.changed.emit();
  }

  /** The connection is gone. Others are not seen any more; our edits are kept. */
  close(): void {
    this.#transmit = null;
    this.#answered = false;
    this.#synced = false;
    this.#askedForGap = false;
    this.#forgetOthers();
    this.changed.emit();
  }

  /** Takes one frame. Raises `FrameError` and `AcknowledgementError`; whatever Yjs raises passes through. */
  receive(frame: Uint8Array): void {
    for (const message of decodeFrame(frame)) this.#take(message);
  }

  /** Hands the server a fresh token for this connection. */
  renewToken(token: string): void {
    this.#send({ kind: 'token-renewal', token });
  }

  destroy(): void {
    this.close();
    this.doc.off('update', this.#onUpdate);
    this.awareness.off('update', this.#onAwareness);
  }

  #take(message: Message): void {
    switch (message.kind) {
      case 'sync-step-1':
        return this.#answerStep1(message.stateVector);
      case 'sync-step-2':
        return this.#takeStep2(message.update);
      case 'update':
        return this.#apply(message.update);
      case 'awareness':
        return this.#takeAwareness(message.payload);
      case 'query-awareness':
        return this.#announce();
      case 'acknowledgement':
        if (this.ledger.acknowledge(message.count)) this.changed.emit();
        return;
      case 'room-event': {
        const event = readRoomEvent(message.json);
        if (event) this.roomEvent.emit(event);
        return;
      }
      case 'token-renewal':
        return;
    }
  }

  #takeStep2(update: Uint8Array): void {
    this.#apply(update);
    if (this.#synced) return;
    this.#synced = true;
    this.changed.emit();
  }

  #apply(update: Uint8Array): void {
    Y.applyUpdate(this.doc, update, this);
    const hasGap = this.doc.store.pendingStructs !== null;
    // Once for a gap: if the answer does not close it, asking again would not either.
    if (hasGap && !this.#askedForGap) this.#askForSync();
    this.#askedForGap = hasGap;
  }

  #answerStep1(stateVector: Uint8Array): void {
    const update = Y.encodeStateAsUpdate(this.doc, stateVector);
    if (update.byteLength > LARGEST_STEP_2_BYTES) {
      this.#answerInPieces();
    } else {
      this.ledger.sentStep2();
      this.#send({ kind: 'sync-step-2', update });
    }
    this.#answered = true;
  }

  #answerInPieces(): void {
    this.ledger.sentEmptyStep2();
    this.#send({ kind: 'sync-step-2', update: EMPTY_UPDATE });
    for (const [index, update] of this.ledger.updates.entries()) {
      this.ledger.resent(index);
      this.#send({ kind: 'update', update });
    }
  }

  readonly #onUpdate = (update: Uint8Array, origin: unknown): void => {
    if (origin === this) return;
    if (this.#answered) {
      this.ledger.keepSent(update);
      this.#send({ kind: 'update', update });
    } else {
      this.ledger.keep(update);
    }
    this.changed.emit();
  };

  /** Only what changed here is sent; and ourselves again if somebody declared us gone. */
  readonly #onAwareness = ({ added, updated, removed }: AwarenessChange, origin: unknown): void => {
    const ours = this.awareness.clientID;
    const declaredGone = removed.includes(ours) && this.awareness.getLocalState() !== null;
    const changedHere = origin !== this && [...added, ...updated, ...removed].includes(ours);
    if (changedHere || declaredGone) this.#announce();
  };

  #takeAwareness(payload: Uint8Array): void {
    applyAwarenessUpdate(this.awareness, payload, this);
    const stamp = readState(payload, this.awareness.clientID)?.['user'];
    const local = this.awareness.getLocalState();
    if (!stamp || !local || JSON.stringify(stamp) === JSON.stringify(local['user'])) return;
    // The server says who we are and in which color; from here we see ourselves as others see us.
    this.awareness.setLocalStateField('user', stamp);
  }

  #announce(): void {
    if (!this.awareness.meta.has(this.awareness.clientID)) return;
    const payload = encodeAwarenessUpdate(this.awareness, [this.awareness.clientID]);
    this.#send({ kind: 'awareness', payload });
  }

  #forgetOthers(): void {
    const others = [...this.awareness.getStates().keys()].filter((id) => id !== this.awareness.clientID);
    removeAwarenessStates(this.awareness, others, this);
    // Their clocks too: on return the server sends the same clocks again, and they must count as news.
    for (const id of others) this.awareness.meta.delete(id);
  }

  #askForSync(): void {
    this.#send({ kind: 'sync-step-1', stateVector: Y.encodeStateVector(this.doc) });
  }

  #send(message: Message): void {
    this.#transmit?.(encode(message));
  }
}
