import { expect, test } from 'vitest';
import { readRoomEvent } from '../../src/wire/roomEvent';

test('reads the welcome', () => {
  const json = '{"type":"room.joined","role":"viewer","epoch":2,"user_id":"u","name":"Ada","head_seq":7}';
  expect(readRoomEvent(json)).toEqual({ type: 'room.joined', role: 'viewer', epoch: 2, userId: 'u', name: 'Ada' });
});

test('reads a version, and that a label was moved', () => {
  const version = {
    id: 'a'.repeat(40),
    number: 3,
    parent_ids: ['b'.repeat(40)],
    kind: 'automatic',
    message: '',
    author: { id: 'u', name: 'Ada', color: '#1f62c4' },
    co_authors: [{ id: 'w', name: 'Grace', color: '#b4232a' }],
    created_at: '2026-03-01T12:00:00Z',
  };
  const json = JSON.stringify({ type: 'version.created', version: { ...version, labels: [] } });
  expect(readRoomEvent(json)).toEqual({ type: 'version.created', version });
  expect(readRoomEvent('{"type":"label.moved","name":"production"}')).toEqual({ type: 'label.moved' });
});

test.each([
  '',
  'null',
  '[]',
  '7',
  '{"type":"run.delta"}',
  '{"type":"role.changed","role":"king"}',
  '{"type":"room.joined"}',
  '{"type":"version.created"}',
  '{"type":"version.created","version":{"id":"a","number":1,"message":"","created_at":"","author":{"name":"Ada"}}}',
])('passes over %s', (json) => {
  expect(readRoomEvent(json)).toBeNull();
});
