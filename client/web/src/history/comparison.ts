/** What is compared with what, and which of the two stands on the left. */
import type { Version } from '../wire/version';
import { shortId, titleOf } from './historyState';

/** A text to compare: the live one, or the one of a version. */
export type Side = { readonly kind: 'live' } | { readonly kind: 'version'; readonly id: string };

/** `live`, or the id of a version. */
export type Against = string;

export const LIVE: Against = 'live';

export interface Comparison {
  /** The version that was chosen in the list. */
  readonly versionId: string;
  readonly against: Against;
}

/** The older text, which stands on the left, and the newer one. */
export function sidesOf(
  { versionId, against }: Comparison,
  versions: readonly Version[],
): readonly [older: Side, newer: Side] {
  const chosen: Side = { kind: 'version', id: versionId };
  if (against === LIVE) return [chosen, { kind: 'live' }];
  const other: Side = { kind: 'version', id: against };
  // A version that is not in the list is older than all that are.
  const numberOf = (id: string): number => versions.find((version) => version.id === id)?.number ?? 0;
  return numberOf(against) < numberOf(versionId) ? [other, chosen] : [chosen, other];
}

/** What a side is called. */
export function nameOf(side: Side, versions: readonly Version[]): string {
  if (side.kind === 'live') return 'Live text';
  const version = versions.find(({ id }) => id === side.id);
  return version ? `${shortId(side.id)} ${titleOf(version)}` : shortId(side.id);
}
