/** Who wrote each line of a text: whoever wrote most of it has its margin, and all of them are named. */
import type { Blame, Passage } from '../api/past';
import { kindInWords } from '../api/past';
import { ago } from '../parts/ago';

export interface BlamedLine {
  /** From 1. */
  readonly number: number;
  readonly text: string;
  /** Of whoever wrote most of the line. */
  readonly color: string;
  /** What was written of it, the most first. */
  readonly passages: readonly Passage[];
}

/** The lines of a text that somebody wrote; an empty one belongs to whoever ended it. */
export function blamedLines({ content, passages }: Blame): BlamedLine[] {
  let [start, first] = [0, 0];
  return content.split('\n').flatMap((text, index) => {
    const end = start + text.length + (text ? 0 : 1);
    while (first < passages.length && (passages[first]?.end ?? 0) <= start) first += 1;
    const shares: [Passage, number][] = [];
    for (let at = first; at < passages.length; at += 1) {
      const passage = passages[at];
      if (!passage || passage.start >= end) break;
      shares.push([passage, Math.min(end, passage.end) - Math.max(start, passage.start)]);
    }
    start += text.length + 1;
    shares.sort(([, one], [, other]) => other - one);
    const most = largest(shares);
    if (!most) return [];
    return [{ number: index + 1, text, color: most.user.color, passages: shares.map(([passage]) => passage) }];
  });
}

/** Name, kind and time of everything in a line, each once. */
export function describeLine({ passages }: BlamedLine): string {
  const said = passages.map(({ user, kind, created_at }) => `${user.name}, ${kindInWords(kind)}, ${ago(created_at)}`);
  return [...new Set(said)].join('\n');
}

function largest(shares: readonly (readonly [Passage, number])[]): Passage | undefined {
  const byUser = new Map<string, number>();
  for (const [{ user }, units] of shares) byUser.set(user.id, (byUser.get(user.id) ?? 0) + units);
  const [userId] = [...byUser].reduce((most, each) => (each[1] > most[1] ? each : most), ['', 0]);
  return shares.find(([{ user }]) => user.id === userId)?.[0];
}
