/** Prompts, as the REST interface shows them. */
import type { Role } from '../wire/roomEvent';
import { type Client, newIdempotencyKey } from './client';
import type { Answer } from './http';

export interface Prompt {
  readonly id: string;
  readonly name: string;
  readonly epoch: number;
  readonly updated_at: string;
  readonly created_by: { readonly id: string; readonly name: string };
  readonly role: Role;
}

export interface Page<T> {
  readonly items: readonly T[];
  readonly next_cursor: string | null;
}

export interface PromptQuery {
  readonly search: string;
  readonly cursor?: string | null;
  /** The deleted ones instead. */
  readonly deleted?: boolean;
}

/** The longest name the server takes, in characters. */
export const MAX_NAME_LENGTH = 200;

export async function listPrompts(client: Client, { search, cursor, deleted }: PromptQuery): Promise<Page<Prompt>> {
  const query = new URLSearchParams();
  if (search) query.set('q', search);
  if (cursor) query.set('cursor', cursor);
  if (deleted) query.set('deleted', 'true');
  const { data } = await client.send<Page<Prompt>>({ method: 'GET', path: `/prompts?${query}` });
  return data;
}

export function getPrompt(client: Client, id: string): Promise<Answer<Prompt>> {
  return client.send<Prompt>({ method: 'GET', path: path(id) });
}

export async function createPrompt(client: Client, name: string, content: string): Promise<Prompt> {
  const { data } = await client.send<Prompt>({
    method: 'POST',
    path: '/prompts',
    body: { name, content },
    idempotencyKey: newIdempotencyKey(),
  });
  return data;
}

export async function renamePrompt(client: Client, id: string, name: string): Promise<Prompt> {
  const { data } = await client.send<Prompt>({ method: 'PATCH', path: path(id), body: { name } });
  return data;
}

export async function deletePrompt(client: Client, id: string): Promise<void> {
  await client.send({ method: 'DELETE', path: path(id) });
}

export async function restorePrompt(client: Client, id: string): Promise<Prompt> {
  const { data } = await client.send<Prompt>({ method: 'POST', path: `${path(id)}/restore` });
  return data;
}

function path(id: string): string {
  return `/prompts/${encodeURIComponent(id)}`;
}
