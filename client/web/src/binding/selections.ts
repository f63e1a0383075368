/** Selections of an editor as Yjs relative positions, which stay where they belong while the text changes. */
import { type editor, Selection } from 'monaco-editor/editor';
import * as Y from 'yjs';

/** A selection as it travels in presence: the JSON form of Yjs relative positions. */
export interface RelativeSelection {
  readonly anchor: Y.RelativePosition;
  readonly head: Y.RelativePosition;
}

/** The offsets of a selection, in UTF-16 code units; `head` is where the caret is. */
export interface SelectionOffsets {
  readonly anchor: number;
  readonly head: number;
}

/** The offsets of Monaco selections in their model. */
export function offsetsOf(model: editor.ITextModel, selections: readonly Selection[]): SelectionOffsets[] {
  return selections.map((selection) => ({
    anchor: model.getOffsetAt(selection.getSelectionStart()),
    head: model.getOffsetAt(selection.getPosition()),
  }));
}

/** Monaco selections at the given offsets. */
export function selectionsAt(model: editor.ITextModel, offsets: readonly SelectionOffsets[]): Selection[] {
  return offsets.map(({ anchor, head }) =>
    Selection.fromPositions(model.getPositionAt(anchor), model.getPositionAt(head)),
  );
}

/**
 * Makes selections relative. The caret belongs to the character behind it, so it moves along by itself while its
 * owner types: typing needs no presence message at all.
 */
export function toRelative(text: Y.Text, offsets: readonly SelectionOffsets[]): RelativeSelection[] {
  return offsets.map(({ anchor, head }) => ({
    anchor: Y.createRelativePositionFromTypeIndex(text, anchor),
    head: Y.createRelativePositionFromTypeIndex(text, head),
  }));
}

/** Where a relative selection is now; `null` when it is of another text or cannot be read. */
export function toOffsets(text: Y.Text, selection: unknown): SelectionOffsets | null {
  if (typeof selection !== 'object' || selection === null) return null;
  const { anchor, head } = selection as Record<string, unknown>;
  const anchorOffset = toOffset(text, anchor);
  const headOffset = toOffset(text, head);
  return anchorOffset === null || headOffset === null ? null : { anchor: anchorOffset, head: headOffset };
}

function toOffset(text: Y.Text, position: unknown): number | null {
  if (typeof position !== 'object' || position === null || !text.doc) return null;
  try {
    const relative = Y.createRelativePositionFromJSON(position);
    const absolute = Y.createAbsolutePositionFromRelativePosition(relative, text.doc);
    return absolute?.type === text ? absolute.index : null;
  } catch {
    // What another client sends is not ours to trust.
    return null;
  }
}
