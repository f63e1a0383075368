/** Versions and labels of a prompt over REST. */
import type { Person, Version } from '../wire/version';
import { type Client, newIdempotencyKey } from './client';
import type { Page } from './prompts';

export interface Label {
  readonly name: string;
  readonly version_id: string;
  /** Only some may move or remove it; the server decides who. */
  readonly is_protected: boolean;
  readonly updated_at: string;
  readonly updated_by: Person;
}

export interface LabelPlacement {
  readonly name: string;
  /** The version that shall have the label. */
  readonly versionId: string;
  /** Where the label is as far as the user knows; `null`: nowhere. */
  readonly expected: string | null;
  readonly reason: string;
}

export async function listVersions(client: Client, promptId: string, cursor: string | null): Promise<Page<Version>> {
  const query = cursor ? `?${new URLSearchParams({ cursor })}` : '';
  const { data } = await client.send<Page<Version>>({ method: 'GET', path: `${path(promptId)}/versions${query}` });
  return data;
}

/** The text of a version. */
export async function readContent(client: Client, promptId: string, versionId: string): Promise<string> {
  const { data } = await client.send<{ readonly content: string }>({
    method: 'GET',
    path: `${path(promptId)}/versions/${versionId}`,
  });
  return data.content;
}

/** Makes a version of the text as the server has it; `isNew`: there was none with this text at the head. */
export async function saveVersion(
  client: Client,
  promptId: string,
  message: string,
): Promise<{ readonly version: Version; readonly isNew: boolean }> {
  const { data, status } = await client.send<Version>({
    method: 'POST',
    path: `${path(promptId)}/versions`,
    body: { message },
    idempotencyKey: newIdempotencyKey(),
  });
  return { version: data, isNew: status === 201 };
}

/** Makes the live text what it was in a version; answers that text. */
export async function revert(client: Client, promptId: string, versionId: string): Promise<string> {
  const { data } = await client.send<{ readonly content: string }>({
    method: 'POST',
    path: `${path(promptId)}/versions/${versionId}/revert`,
    body: {},
  });
  return data.content;
}

export async function listLabels(client: Client, promptId: string): Promise<readonly Label[]> {
  const { data } = await client.send<Page<Label>>({ method: 'GET', path: `${path(promptId)}/labels` });
  return data.items;
}

/** Sets or moves a label, if it is where the user believes it to be. */
export async function placeLabel(client: Client, promptId: string, placement: LabelPlacement): Promise<void> {
  const { name, versionId: version, expected, reason } = placement;
  await client.send({ method: 'PUT', path: labelPath(promptId, name), body: { version, expected, reason } });
}

/** Removes a label, if it is where the user believes it to be. */
export async function removeLabel(client: Client, promptId: string, name: string, expected: string): Promise<void> {
  const query = new URLSearchParams({ expected });
  await client.send({ method: 'DELETE', path: `${labelPath(promptId, name)}?${query}` });
}

function path(promptId: string): string {
  return `/prompts/${encodeURIComponent(promptId)}`;
}

function labelPath(promptId: string, name: string): string {
  return `${path(promptId)}/labels/${encodeURIComponent(name)}`;
}
