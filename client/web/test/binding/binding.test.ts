// @vitest-environment happy-dom
import { editor, Range, Selection } from 'monaco-editor/editor';
import { afterEach, describe, expect, test } from 'vitest';
import { MAX_CHANGE_UNITS, MAX_TEXT_UNITS } from '../../src/binding/limits';
import { type Participant, Room } from '../support/room';

let room: Room;
afterEach(() => room.dispose());

function select(participant: Participant, ...selections: [number, number, number, number][]): void {
  participant.codeEditor.setSelections(selections.map(([a, b, c, d]) => new Selection(a, b, c, d)));
}

function type(participant: Participant, text: string): void {
  for (const character of text) participant.codeEditor.trigger('keyboard', 'type', { text: character });
}

function paste(participant: Participant, text: string): void {
  participant.codeEditor.trigger('keyboard', 'paste', { text });
}

function carets(participant: Participant): string[] {
  return (participant.codeEditor.getSelections() ?? []).map(
    ({ startLineNumber, startColumn, endLineNumber, endColumn }) =>
      `${startLineNumber}:${startColumn}-${endLineNumber}:${endColumn}`,
  );
}

async function settled(): Promise<void> {
  await Promise.resolve();
}

describe('texts', () => {
  test('start equal and stay equal', () => {
    room = new Room('line one\nline two\n');
    const [ada, grace] = [room.join(), room.join()];
    select(ada, [1, 1, 1, 1]);
    type(ada, 'Ada: ');
    select(grace, [2, 1, 2, 5]);
    type(grace, '😀');
    expect(room.texts()).toEqual(new Set(['Ada: line one\n😀 two\n']));
  });

  test('every cursor writes', () => {
    room = new Room('a\nb\nc');
    const [ada] = [room.join(), room.join()];
    select(ada, [1, 1, 1, 1], [2, 1, 2, 1], [3, 1, 3, 1]);
    type(ada, '- ');
    expect(room.texts()).toEqual(new Set(['- a\n- b\n- c']));
  });

  test('a replacement sends only what differs', () => {
    room = new Room('The quick brown fox');
    const ada = room.join();
    const lengths: number[] = [];
    ada.text.observe((event) =>
      lengths.push(...event.delta.flatMap(({ insert }) => (insert ? `${insert}`.length : []))),
    );
    select(ada, [1, 1, 1, 20]);
    paste(ada, 'The quick green fox');
    expect(room.texts()).toEqual(new Set(['The quick green fox']));
    // "brown" and "green" share the "r": what is written is never more than the word.
    expect(lengths.reduce((sum, length) => sum + length, 0)).toBeLessThanOrEqual(5);
  });

  test('setValue becomes a minimal edit, and a foreign cursor survives it', async () => {
    room = new Room('one\ntwo\nthree');
    const [ada, grace] = [room.join(), room.join()];
    select(grace, [3, 3, 3, 3]);
    ada.model.setValue('one\r\n2\r\nthree');
    expect(room.text.toString()).toBe('one\n2\nthree');
    await settled();
    expect(room.texts()).toEqual(new Set(['one\n2\nthree']));
    expect(carets(grace)).toEqual(['3:3-3:3']);
  });

  test('what was typed while away arrives', () => {
    room = new Room('middle');
    const [ada, grace] = [room.join(), room.join()];
    ada.online = false;
    select(ada, [1, 1, 1, 1]);
    type(ada, 'before ');
    select(grace, [1, 7, 1, 7]);
    type(grace, ' after');
    room.reconnect(ada);
    expect(room.texts()).toEqual(new Set(['before middle after']));
  });
});

describe('line ends', () => {
  test.each(['\r\n', '\r', '\n'])('%j in a paste becomes a line feed', async (lineEnd) => {
    room = new Room();
    const [ada, grace] = [room.join(), room.join()];
    paste(ada, `a${lineEnd}b${lineEnd}c`);
    type(ada, '!');
    await settled();
    expect(room.texts()).toEqual(new Set(['a\nb\nc!']));
    select(grace, [2, 1, 2, 1]);
    type(grace, '>');
    expect(room.texts()).toEqual(new Set(['a\n>b\nc!']));
  });

  test('a model told to use CRLF goes back to LF', async () => {
    room = new Room('a\nb');
    const ada = room.join();
    ada.model.setEOL(editor.EndOfLineSequence.CRLF);
    await settled();
    expect(ada.model.getEOL()).toBe('\n');
    select(ada, [2, 2, 2, 2]);
    type(ada, 'x');
    expect(room.texts()).toEqual(new Set(['a\nbx']));
  });

  test('what a foreign client writes is cleaned, and later edits are in place', async () => {
    room = new Room('start\n');
    const [ada, grace] = [room.join(), room.join()];
    room.text.insert(6, 'x\r\ny\r\n');
    await settled();
    await settled();
    expect(room.texts()).toEqual(new Set(['start\nx\ny\n']));
    select(ada, [3, 2, 3, 2]);
    type(ada, '!');
    expect(room.texts()).toEqual(new Set(['start\nx\ny!\n']));
    expect(grace.model.getValue()).toBe('start\nx\ny!\n');
  });

  test('a viewer shows it clean and changes nothing', async () => {
    room = new Room('a\r\nb');
    const viewer = room.join();
    viewer.writable = false;
    room.text.insert(4, '!\r\n');
    await settled();
    expect(viewer.model.getValue()).toBe('a\nb!\n');
    room.text.insert(0, '> ');
    expect(viewer.model.getValue()).toBe('> a\nb!\n');
  });
});

describe('surrogate pairs', () => {
  test('half a pair becomes U+FFFD everywhere, here too', async () => {
    room = new Room();
    const [ada] = [room.join(), room.join()];
    paste(ada, 'x\ud83d');
    await settled();
    expect(room.texts()).toEqual(new Set(['x\ufffd']));
  });

  test('what follows before it is tidied is not lost', async () => {
    room = new Room();
    const ada = room.join();
    paste(ada, 'x\ud83d');
    ada.model.applyEdits([{ range: new Range(1, 1, 1, 1), text: '!' }]);
    await settled();
    expect(room.texts()).toEqual(new Set(['!x\ufffd']));
  });

  test('a foreign edit inside a pair leaves all texts equal', () => {
    room = new Room('a😀b');
    room.join();
    room.text.insert(2, 'x');
    expect(room.texts().size).toBe(1);
  });

  test('one emoji replaced by its neighbour is replaced as a whole', () => {
    room = new Room('😀');
    const ada = room.join();
    select(ada, [1, 1, 1, 3]);
    paste(ada, '😁');
    expect(room.texts()).toEqual(new Set(['😁']));
  });
});

describe('cursors', () => {
  test('several cursors survive remote edits', () => {
    room = new Room('one\ntwo\nthree');
    const [ada, grace] = [room.join(), room.join()];
    select(ada, [1, 2, 1, 2], [3, 2, 3, 4]);
    select(grace, [2, 1, 2, 1]);
    type(grace, 'new\n');
    expect(carets(ada)).toEqual(['1:2-1:2', '4:2-4:4']);
  });

  test('text inserted exactly at a caret comes behind it', () => {
    room = new Room('a\nb');
    const [ada, grace] = [room.join(), room.join()];
    select(ada, [1, 2, 1, 2], [2, 1, 2, 2]);
    select(grace, [1, 2, 1, 2]);
    type(grace, 'xyz');
    expect(carets(ada)).toEqual(['1:2-1:2', '2:1-2:2']);
    expect(carets(grace)).toEqual(['1:5-1:5']);
  });

  test('two people who type at one place do not interleave', () => {
    room = new Room();
    const [ada, grace] = [room.join(), room.join()];
    for (const [one, other] of ['hw', 'eo', 'lr', 'ld'].map((pair) => [...pair] as [string, string])) {
      type(ada, one);
      type(grace, other);
    }
    expect([...room.texts()]).toEqual(['wordhell']);
  });
});

describe('refusals', () => {
  test('a paste above the bound changes nothing and says so', async () => {
    room = new Room('keep');
    const [ada] = [room.join(), room.join()];
    select(ada, [1, 1, 1, 5]);
    paste(ada, 'x'.repeat(MAX_CHANGE_UNITS + 1));
    await settled();
    expect(ada.refusals).toEqual(['change-too-large']);
    expect(room.texts()).toEqual(new Set(['keep']));
    select(ada, [1, 5, 1, 5]);
    type(ada, '!');
    expect(room.texts()).toEqual(new Set(['keep!']));
  });

  test('a paste at the bound goes through', () => {
    room = new Room();
    const ada = room.join();
    paste(ada, 'x'.repeat(MAX_CHANGE_UNITS));
    expect(room.text.length).toBe(MAX_CHANGE_UNITS);
  });

  test('a prompt does not grow beyond its bound, and may shrink', async () => {
    room = new Room('y'.repeat(MAX_TEXT_UNITS));
    const ada = room.join();
    type(ada, 'x');
    await settled();
    expect(ada.refusals).toEqual(['text-too-large']);
    select(ada, [1, 1, 1, 3]);
    type(ada, 'z');
    expect(room.text.length).toBe(MAX_TEXT_UNITS - 1);
  });

  test('a viewer cannot write by any path', async () => {
    room = new Room('fixed');
    const viewer = room.join();
    viewer.writable = false;
    type(viewer, 'x');
    await settled();
    viewer.model.setValue('other');
    await settled();
    viewer.model.applyEdits([{ range: viewer.model.getFullModelRange(), text: '' }]);
    await settled();
    expect(room.texts()).toEqual(new Set(['fixed']));
    expect(viewer.updates).toBe(0);
    expect(new Set(viewer.refusals)).toEqual(new Set(['read-only']));
  });
});
