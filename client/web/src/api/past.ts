/** The past of a prompt over REST: its text after any edit, and when who worked on it. */
import type { Person } from '../wire/version';
import type { Client } from './client';
import type { Page } from './prompts';

/** How an edit came. */
export type Kind = 'created' | 'typed' | 'pasted' | 'restored' | 'api' | 'run' | 'agent';

/** The prompt as it stood after one edit. */
export interface Moment {
  readonly seq: number;
  readonly content: string;
  readonly created_at: string;
  readonly user: Person;
  readonly kind: Kind;
}

/** A time in which people edited without a long pause. */
export interface Session {
  readonly from_seq: number;
  readonly to_seq: number;
  readonly started_at: string;
  readonly ended_at: string;
  readonly users: readonly Person[];
}

/** What one person wrote in one go; places are UTF-16 units of the text. */
export interface Passage {
  readonly start: number;
  readonly end: number;
  readonly user: Person;
  readonly kind: Kind;
  readonly created_at: string;
}

/** A text, and who wrote each part of it. */
export interface Blame {
  readonly content: string;
  readonly passages: readonly Passage[];
}

/** As many sessions as the server gives at once. */
const PAGE = '100';

const KINDS: Readonly<Record<Kind, string>> = {
  created: 'first text',
  typed: 'typed',
  pasted: 'pasted',
  restored: 'restored',
  api: 'by API',
  run: 'by a run',
  agent: 'by an agent',
};

/** How an edit came, in words; as the server says it where it is newer than this page. */
export function kindInWords(kind: string): string {
  return KINDS[kind as Kind] ?? kind;
}

/** The text as it stood after an edit. */
export async function readMoment(client: Client, promptId: string, seq: number, signal: AbortSignal): Promise<Moment> {
  const { data } = await client.send<Moment>({ method: 'GET', path: `${path(promptId)}/at/${seq}`, signal });
  return data;
}

/** Who wrote each part of the text as the server has it, and that text: the one here may be ahead of it or behind. */
export async function readBlame(client: Client, promptId: string, signal: AbortSignal): Promise<Blame> {
  const { data } = await client.send<{ readonly seq: number; readonly spans: readonly Passage[] }>({
    method: 'GET',
    path: `${path(promptId)}/blame`,
    signal,
  });
  // Before the first edit there is no point to read.
  const content = data.seq > 0 ? (await readMoment(client, promptId, data.seq, signal)).content : '';
  return { content, passages: data.spans };
}

/** Every session, the oldest first, asked for page by page. */
export async function readSessions(client: Client, promptId: string, signal: AbortSignal): Promise<readonly Session[]> {
  const sessions: Session[] = [];
  let cursor: string | null = '';
  while (cursor !== null) {
    const query = new URLSearchParams({ limit: PAGE, ...(cursor && { cursor }) });
    const { data }: { readonly data: Page<Session> } = await client.send<Page<Session>>({
      method: 'GET',
      path: `${path(promptId)}/timeline?${query}`,
      signal,
    });
    sessions.push(...data.items);
    cursor = data.next_cursor;
  }
  return sessions.reverse();
}

function path(promptId: string): string {
  return `/prompts/${encodeURIComponent(promptId)}`;
}
