/**
 * Frames to messages and back.
 *
 * A frame holds one message or several, one after the other. Whatever cannot be read is a `FrameError`,
 * never an exception of another kind, so that the connection has one thing to catch.
 */
import * as decoding from 'lib0/decoding';
import * as encoding from 'lib0/encoding';
import type { Message } from './message';

/** The server's bound on a frame, in bytes. */
export const MAX_FRAME_BYTES = 8 * 1024 * 1024;

const SYNC = 0;
const AWARENESS = 1;
const QUERY_AWARENESS = 3;
const ACKNOWLEDGEMENT = 8;
const ROOM_EVENT = 9;
const TOKEN_RENEWAL = 10;

const STEP_1 = 0;
const STEP_2 = 1;
const UPDATE = 2;

/** A frame that is not of the dialect. */
export class FrameError extends Error {
  override readonly name = 'FrameError';
}

/** Reads every message of a frame; raises `FrameError` when any of it cannot be read. */
export function decodeFrame(frame: Uint8Array): Message[] {
  const decoder = decoding.createDecoder(frame);
  const messages: Message[] = [];
  try {
    do {
      messages.push(readMessage(decoder));
    } while (decoding.hasContent(decoder));
  } catch (error) {
    if (error instanceof FrameError) throw error;
    throw new FrameError('the frame is truncated or malformed', { cause: error });
  }
  return messages;
}

/** Writes one message as a frame. */
export function encode(message: Message): Uint8Array {
  return encoding.encode((encoder) => writeMessage(encoder, message));
}

function readMessage(decoder: decoding.Decoder): Message {
  const type = decoding.readVarUint(decoder);
  switch (type) {
    case SYNC:
      return readSync(decoder);
    case AWARENESS:
      return { kind: 'awareness', payload: decoding.readVarUint8Array(decoder) };
    case QUERY_AWARENESS:
      return { kind: 'query-awareness' };
    case ACKNOWLEDGEMENT:
      return { kind: 'acknowledgement', count: decoding.readVarUint(decoder) };
    case ROOM_EVENT:
      return { kind: 'room-event', json: decoding.readVarString(decoder) };
    case TOKEN_RENEWAL:
      return { kind: 'token-renewal', token: decoding.readVarString(decoder) };
    default:
      throw new FrameError(`unknown message type ${type}`);
  }
}

function readSync(decoder: decoding.Decoder): Message {
  const step = decoding.readVarUint(decoder);
  switch (step) {
    case STEP_1:
      return { kind: 'sync-step-1', stateVector: decoding.readVarUint8Array(decoder) };
    case STEP_2:
      return { kind: 'sync-step-2', update: decoding.readVarUint8Array(decoder) };
    case UPDATE:
      return { kind: 'update', update: decoding.readVarUint8Array(decoder) };
    default:
      throw new FrameError(`unknown sync step ${step}`);
  }
}

function writeMessage(encoder: encoding.Encoder, message: Message): void {
  switch (message.kind) {
    case 'sync-step-1':
      return writeSync(encoder, STEP_1, message.stateVector);
    case 'sync-step-2':
      return writeSync(encoder, STEP_2, message.update);
    case 'update':
      return writeSync(encoder, UPDATE, message.update);
    case 'awareness':
      encoding.writeVarUint(encoder, AWARENESS);
      return encoding.writeVarUint8Array(encoder, message.payload);
    case 'query-awareness':
      return encoding.writeVarUint(encoder, QUERY_AWARENESS);
    case 'acknowledgement':
      encoding.writeVarUint(encoder, ACKNOWLEDGEMENT);
      return encoding.writeVarUint(encoder, message.count);
    case 'room-event':
      encoding.writeVarUint(encoder, ROOM_EVENT);
      return encoding.writeVarString(encoder, message.json);
    case 'token-renewal':
      encoding.writeVarUint(encoder, TOKEN_RENEWAL);
      return encoding.writeVarString(encoder, message.token);
  }
}

function writeSync(encoder: encoding.Encoder, step: number, bytes: Uint8Array): void {
  encoding.writeVarUint(encoder, SYNC);
  encoding.writeVarUint(encoder, step);
  encoding.writeVarUint8Array(encoder, bytes);
}
