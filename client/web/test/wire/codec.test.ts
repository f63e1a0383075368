import * as encoding from 'lib0/encoding';
import { describe, expect, test } from 'vitest';
import { writeSyncStep1, writeUpdate } from 'y-protocols/sync';
import * as Y from 'yjs';
import { decodeFrame, encode, FrameError } from '../../src/wire/codec';
import type { Message } from '../../src/wire/message';

const MESSAGES: Message[] = [
  { kind: 'sync-step-1', stateVector: Uint8Array.of(0) },
  { kind: 'sync-step-2', update: Uint8Array.of(0, 0) },
  { kind: 'update', update: Uint8Array.of(1, 2, 3) },
  { kind: 'awareness', payload: Uint8Array.of(0) },
  { kind: 'query-awareness' },
  { kind: 'acknowledgement', count: 300 },
  { kind: 'room-event', json: '{"type":"grün 😀"}' },
  { kind: 'token-renewal', token: 'a.b.c' },
];

describe('codec', () => {
  test.each(MESSAGES)('reads what it writes: $kind', (message) => {
    expect(decodeFrame(encode(message))).toEqual([message]);
  });

  test('reads several messages of one frame', () => {
    const frame = new Uint8Array(MESSAGES.flatMap((message) => [...encode(message)]));
    expect(decodeFrame(frame)).toEqual(MESSAGES);
  });

  test('writes what y-protocols writes', () => {
    const doc = new Y.Doc();
    doc.getText('content').insert(0, 'a😀');
    const update = Y.encodeStateAsUpdate(doc);
    const reference = encoding.encode((encoder) => {
      encoding.writeVarUint(encoder, 0);
      writeUpdate(encoder, update);
    });
    expect(encode({ kind: 'update', update })).toEqual(reference);
    const step1 = encoding.encode((encoder) => {
      encoding.writeVarUint(encoder, 0);
      writeSyncStep1(encoder, doc);
    });
    expect(encode({ kind: 'sync-step-1', stateVector: Y.encodeStateVector(doc) })).toEqual(step1);
  });

  test.each(MESSAGES)('refuses every truncation: $kind', (message) => {
    const frame = encode(message);
    for (let length = 0; length < frame.length; length += 1) {
      expect(() => decodeFrame(frame.subarray(0, length))).toThrow(FrameError);
    }
  });

  test.each([[7], [2, 0], [0, 3, 0], [1, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff]])(
    'refuses what is not of the dialect: %j',
    (...bytes) => {
      expect(() => decodeFrame(Uint8Array.from(bytes))).toThrow(FrameError);
    },
  );
});
