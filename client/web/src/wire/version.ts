/** Versions, as the server shows them: in REST and in room events alike. */

export interface Person {
  readonly id: string;
  readonly name: string;
  /** As `#rrggbb`; the same as at their caret. */
  readonly color: string;
}

export interface Version {
  /** The id of the Git commit. */
  readonly id: string;
  /** 1 for the first of a prompt, 2 for the next. */
  readonly number: number;
  readonly parent_ids: readonly string[];
  readonly kind: 'manual' | 'automatic';
  readonly message: string;
  readonly author: Person;
  /** Who else has written since the version before. */
  readonly co_authors: readonly Person[];
  readonly created_at: string;
}

/** Reads a version; `null` for anything that is none. */
export function readVersion(value: unknown): Version | null {
  if (!isObject(value)) return null;
  const { id, number, message, author, created_at } = value;
  if (typeof id !== 'string' || typeof number !== 'number') return null;
  if (typeof message !== 'string' || typeof created_at !== 'string' || !isPerson(author)) return null;
  return {
    id,
    number,
    parent_ids: listOf(value['parent_ids'], (parent) => typeof parent === 'string'),
    kind: value['kind'] === 'automatic' ? 'automatic' : 'manual',
    message,
    author,
    co_authors: listOf(value['co_authors'], isPerson),
    created_at,
  };
}

function isPerson(value: unknown): value is Person {
  if (!isObject(value)) return false;
  return ['id', 'name', 'color'].every((key) => typeof value[key] === 'string');
}

function listOf<T>(value: unknown, is: (item: unknown) => item is T): T[] {
  return Array.isArray(value) ? value.filter(is) : [];
}

function isObject(value: unknown): value is Record<string, unknown> {
  return typeof value === 'object' && value !== null;
}
