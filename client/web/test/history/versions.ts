import type { Label } from '../../src/api/history';
import type { Version } from '../../src/wire/version';

const ADA = { id: 'u1', name: 'Ada', color: '#1f62c4' };

/** The version with this number in a chain without gaps. */
export function version(number: number, fields: Partial<Version> = {}): Version {
  return {
    id: idOf(number),
    number,
    parent_ids: number > 1 ? [idOf(number - 1)] : [],
    kind: 'manual',
    message: `Version ${number}`,
    author: ADA,
    co_authors: [],
    created_at: '2026-03-01T12:00:00Z',
    ...fields,
  };
}

export function label(name: string, number: number): Label {
  const updated_at = '2026-03-01T12:00:00Z';
  return { name, version_id: idOf(number), is_protected: false, updated_at, updated_by: ADA };
}

export function idOf(number: number): string {
  return number.toString(16).padStart(40, 'c');
}
