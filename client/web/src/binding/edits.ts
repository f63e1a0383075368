/**
 * Text edits as plain values, in UTF-16 code units: what Monaco and Yjs tell each other.
 */

/** Replaces `start`..`end` of the text before all edits of its batch by `text`. */
export interface TextEdit {
  readonly start: number;
  readonly end: number;
  readonly text: string;
}

/** One operation of a Yjs text event. */
export interface DeltaOperation {
  readonly insert?: unknown;
  readonly delete?: number | undefined;
  readonly retain?: number | undefined;
}

/** Text as it may enter the document: no `\r`, and no half of a surrogate pair (Yjs would store U+FFFD). */
export function clean(text: string): string {
  return text.replace(/\r/g, '').toWellFormed();
}

/** Cuts what both texts have in common from both ends of a replacement of `before` (which starts at `start`). */
export function narrow(before: string, after: string, start = 0): TextEdit | null {
  if (before === after) return null;
  const shorter = Math.min(before.length, after.length);
  let prefix = 0;
  while (prefix < shorter && before.charCodeAt(prefix) === after.charCodeAt(prefix)) prefix += 1;
  if (isInsidePair(before, prefix) || isInsidePair(after, prefix)) prefix -= 1;
  let suffix = 0;
  const longest = shorter - prefix;
  while (
    suffix < longest &&
    before.charCodeAt(before.length - 1 - suffix) === after.charCodeAt(after.length - 1 - suffix)
  ) {
    suffix += 1;
  }
  if (isInsidePair(before, before.length - suffix) || isInsidePair(after, after.length - suffix)) suffix -= 1;
  return {
    start: start + prefix,
    end: start + before.length - suffix,
    text: after.slice(prefix, after.length - suffix),
  };
}

/**
 * The edits of a Yjs text event, in ascending order, relative to the text before it. `null` when the event holds
 * something that is not text.
 */
export function editsOfDelta(delta: readonly DeltaOperation[]): TextEdit[] | null {
  const edits: TextEdit[] = [];
  let offset = 0;
  for (const operation of delta) {
    if (operation.retain !== undefined) {
      offset += operation.retain;
    } else if (operation.delete !== undefined) {
      addEdit(edits, { start: offset, end: offset + operation.delete, text: '' });
      offset += operation.delete;
    } else if (typeof operation.insert === 'string') {
      addEdit(edits, { start: offset, end: offset, text: operation.insert });
    } else {
      return null;
    }
  }
  return edits;
}

/** Whether `offset` stands between the two halves of a surrogate pair. */
export function isInsidePair(text: string, offset: number): boolean {
  return isHigh(text.charCodeAt(offset - 1)) && isLow(text.charCodeAt(offset));
}

/** Where `offset` is after the edits; text that is inserted exactly there comes to stand behind it. */
export function moveOffset(offset: number, edits: readonly TextEdit[]): number {
  let moved = offset;
  for (const { start, end, text } of edits) {
    if (start >= offset) break;
    moved += end <= offset ? text.length - (end - start) : start - offset;
  }
  return moved;
}

function addEdit(edits: TextEdit[], next: TextEdit): void {
  const last = edits.at(-1);
  if (last && last.end === next.start) {
    edits[edits.length - 1] = { start: last.start, end: next.end, text: last.text + next.text };
  } else {
    edits.push(next);
  }
}

function isHigh(unit: number): boolean {
  return unit >= 0xd800 && unit <= 0xdbff;
}

function isLow(unit: number): boolean {
  return unit >= 0xdc00 && unit <= 0xdfff;
}
