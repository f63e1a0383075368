/**
 * Room events: what the server tells everybody in the room besides text and presence.
 *
 * Events this client does not know are passed over, so that an older page lives with a newer server.
 */

import { readVersion, type Version } from './version';

export type Role = 'owner' | 'editor' | 'viewer';

export type RoomEvent =
  | {
      readonly type: 'room.joined';
      readonly role: Role;
      readonly epoch: number;
      readonly userId: string;
      readonly name: string;
    }
  | { readonly type: 'role.changed'; readonly role: Role }
  | { readonly type: 'prompt.updated'; readonly name: string }
  | { readonly type: 'version.created'; readonly version: Version }
  | { readonly type: 'label.moved' }
  | { readonly type: 'store.unavailable' }
  | { readonly type: 'store.available' };

/** Reads one event; `null` for anything unknown or not as agreed. */
export function readRoomEvent(json: string): RoomEvent | null {
  const value = parseObject(json);
  switch (value?.['type']) {
    case 'room.joined':
      return readJoined(value);
    case 'role.changed':
      return isRole(value['role']) ? { type: 'role.changed', role: value['role'] } : null;
    case 'prompt.updated':
      return typeof value['name'] === 'string' ? { type: 'prompt.updated', name: value['name'] } : null;
    case 'version.created':
      return readCreated(value['version']);
    case 'label.moved':
      return { type: 'label.moved' };
    case 'store.unavailable':
      return { type: 'store.unavailable' };
    case 'store.available':
      return { type: 'store.available' };
    default:
      return null;
  }
}

/** Whether the role may change text. */
export function mayEdit(role: Role): boolean {
  return role !== 'viewer';
}

function readJoined(value: Record<string, unknown>): RoomEvent | null {
  const { role, epoch, user_id: userId, name } = value;
  if (!isRole(role) || typeof epoch !== 'number') return null;
  return {
    type: 'room.joined',
    role,
    epoch,
    userId: typeof userId === 'string' ? userId : '',
    name: typeof name === 'string' ? name : '',
  };
}

function readCreated(value: unknown): RoomEvent | null {
  const version = readVersion(value);
  return version && { type: 'version.created', version };
}

function isRole(value: unknown): value is Role {
  return value === 'owner' || value === 'editor' || value === 'viewer';
}

function parseObject(json: string): Record<string, unknown> | null {
  try {
    const value: unknown = JSON.parse(json);
    return typeof value === 'object' && value !== null ? (value as Record<string, unknown>) : null;
  } catch {
    return null;
  }
}
