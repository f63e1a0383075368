/** Who is here, from what presence says: one entry for a person, however many tabs they have open. */
import type { Role } from '../wire/roomEvent';
import { safeColor } from './color';

/** One tab: a client of the document. */
export interface Tab {
  readonly clientId: number;
  /** `Ada`, and `Ada (2)` for her second tab. */
  readonly label: string;
}

export interface Person {
  readonly userId: string;
  readonly name: string;
  readonly color: string;
  readonly role: Role | null;
  readonly isYou: boolean;
  readonly tabs: readonly Tab[];
}

interface Stamp {
  readonly userId: string;
  readonly name: string;
  readonly color: string;
  readonly role: Role | null;
}

/** Names longer than this are cut: a flag has to leave the text readable. */
const LONGEST_LABEL = 40;

/** Groups presence states by person: you first, then by name. Tabs are numbered in the order of their client ids. */
export function listPeople(states: ReadonlyMap<number, Record<string, unknown>>, yourUserId: string): Person[] {
  const people = new Map<string, Stamp & { clientIds: number[] }>();
  for (const [clientId, state] of states) {
    const stamp = readStamp(state['user']);
    if (!stamp) continue;
    const person = people.get(stamp.userId);
    if (person) person.clientIds.push(clientId);
    else people.set(stamp.userId, { ...stamp, clientIds: [clientId] });
  }
  return [...people.values()]
    .map(({ clientIds, ...stamp }) => ({
      ...stamp,
      isYou: stamp.userId === yourUserId,
      tabs: clientIds.sort((a, b) => a - b).map((clientId, index) => ({ clientId, label: label(stamp.name, index) })),
    }))
    .sort((a, b) => Number(b.isYou) - Number(a.isYou) || a.name.localeCompare(b.name));
}

/** One or two letters that stand for a name. */
export function initials(name: string): string {
  const words = name.trim().split(/\s+/);
  const letters = words.length > 1 ? [words[0], words.at(-1)] : [words[0]];
  return (
    letters
      .map((word) => [...(word ?? '')][0] ?? '')
      .join('')
      .toUpperCase() || '?'
  );
}

function label(name: string, index: number): string {
  const short = name.length > LONGEST_LABEL ? `${name.slice(0, LONGEST_LABEL - 1).toWellFormed()}…` : name;
  return index === 0 ? short : `${short} (${index + 1})`;
}

function readStamp(user: unknown): Stamp | null {
  if (typeof user !== 'object' || user === null) return null;
  const { id, name, color, role } = user as Record<string, unknown>;
  if (typeof id !== 'string' || typeof name !== 'string') return null;
  const isRole = role === 'owner' || role === 'editor' || role === 'viewer';
  return { userId: id, name, color: safeColor(color), role: isRole ? role : null };
}
