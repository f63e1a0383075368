import { expect, test } from 'vitest';
import { readRoomEvent } from '../../src/wire/roomEvent';

test('reads the welcome', () => {
  const json = '{"type":"room.joined","role":"viewer","epoch":2,"user_id":"u","name":"Ada","head_seq":7}';
  expect(readRoomEvent(json)).toEqual({ type: 'room.joined', role: 'viewer', epoch: 2, userId: 'u', name: 'Ada' });
});

test.each([
  '',
  'null',
  '[]',
  '7',
  '{"type":"run.delta"}',
  '{"type":"role.changed","role":"king"}',
  '{"type":"room.joined"}',
])('passes over %s', (json) => {
  expect(readRoomEvent(json)).toBeNull();
});
