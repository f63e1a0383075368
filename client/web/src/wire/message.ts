/**
 * What one frame can say: the y-websocket dialect plus the three messages of `promptroom.v1`.
 *
 * Source: y-protocols PROTOCOL.md (sync, awareness) and the WebSocket section of the server's contract
 * (acknowledgement 8, room event 9, token renewal 10).
 */

/** The subprotocol that switches acknowledgements, room events and token renewal on. */
export const SUBPROTOCOL = 'promptroom.v1';

/** "This is what I have" — asks the other end for everything that is missing here. */
export interface SyncStep1 {
  readonly kind: 'sync-step-1';
  readonly stateVector: Uint8Array;
}

/** The answer to a step 1: one update with everything the other end misses. */
export interface SyncStep2 {
  readonly kind: 'sync-step-2';
  readonly update: Uint8Array;
}

/** A single edit. */
export interface Update {
  readonly kind: 'update';
  readonly update: Uint8Array;
}

/** Presence of one or more clients. */
export interface AwarenessUpdate {
  readonly kind: 'awareness';
  readonly payload: Uint8Array;
}

/** Asks the other end to announce its presence. */
export interface QueryAwareness {
  readonly kind: 'query-awareness';
}

/** The first `count` step-2 and update messages of this connection are committed. */
export interface Acknowledgement {
  readonly kind: 'acknowledgement';
  readonly count: number;
}

/** Something happened in the room, as JSON. */
export interface RoomEventMessage {
  readonly kind: 'room-event';
  readonly json: string;
}

/** A fresh access token for the open connection. */
export interface TokenRenewal {
  readonly kind: 'token-renewal';
  readonly token: string;
}

export type Message =
  | SyncStep1
  | SyncStep2
  | Update
  | AwarenessUpdate
  | QueryAwareness
  | Acknowledgement
  | RoomEventMessage
  | TokenRenewal;
