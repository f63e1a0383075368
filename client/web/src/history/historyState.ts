/**
 * What is known of a prompt's history: the newest versions, as far back as somebody has looked, and every label.
 *
 * Versions come by page and by room event, in any order and twice; they are kept once, newest first, without a hole.
 */
import type { Label } from '../api/history';
import type { Page } from '../api/prompts';
import type { Version } from '../wire/version';

export interface HistoryState {
  /** Whether the first page has come. */
  readonly isLoaded: boolean;
  readonly versions: readonly Version[];
  /** Where the versions before the oldest one begin; `null`: there are none. */
  readonly cursor: string | null;
  readonly labels: readonly Label[];
}

export const NOTHING_KNOWN: HistoryState = { isLoaded: false, versions: [], cursor: null, labels: [] };

/** After the first page has come, perhaps not for the first time. */
export function withNewest(known: HistoryState, page: Page<Version>): HistoryState {
  const [newestKnown] = known.versions;
  const oldestOfPage = page.items.at(-1);
  const hasHole = newestKnown && oldestOfPage && oldestOfPage.number > newestKnown.number + 1;
  if (!known.isLoaded || hasHole) {
    const newer = known.versions.filter(({ number }) => number > (page.items[0]?.number ?? 0));
    return { ...known, isLoaded: true, versions: union(newer, page.items), cursor: page.next_cursor };
  }
  return { ...known, versions: union(page.items, known.versions) };
}

/** After a page of older versions has come. */
export function withOlder(known: HistoryState, page: Page<Version>): HistoryState {
  return { ...known, versions: union(known.versions, page.items), cursor: page.next_cursor };
}

/** After somebody has made a version. */
export function withVersion(known: HistoryState, version: Version): HistoryState {
  return { ...known, versions: union([version], known.versions) };
}

/** The labels of a version, by name. */
export function labelsOf(labels: readonly Label[], versionId: string): readonly Label[] {
  return labels.filter((label) => label.version_id === versionId).sort((a, b) => a.name.localeCompare(b.name));
}

/** The digits of an id that people read: as many as Git shows. */
export function shortId(id: string): string {
  return id.slice(0, 7);
}

/** What a version is called: the first line of its message. */
export function titleOf({ message, kind }: Version): string {
  const [first = ''] = message.trim().split('\n');
  return first || (kind === 'automatic' ? 'Automatic version' : 'Version without a message');
}

function union(some: readonly Version[], others: readonly Version[]): readonly Version[] {
  const byNumber = new Map([...others, ...some].map((version) => [version.number, version]));
  return [...byNumber.values()].sort((a, b) => b.number - a.number);
}
