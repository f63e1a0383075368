// @vitest-environment happy-dom
import { type editor, Selection } from 'monaco-editor/editor';
import { afterEach, describe, expect, test } from 'vitest';
import { type Participant, Room } from '../support/room';

let room: Room;
afterEach(() => room.dispose());

function at(participant: Participant, line: number, column: number): void {
  participant.codeEditor.setSelection(new Selection(line, column, line, column));
}

function type(participant: Participant, text: string): void {
  for (const character of text) participant.codeEditor.trigger('keyboard', 'type', { text: character });
}

type Path = (participant: Participant, direction: 'undo' | 'redo') => void;

const PATHS: Record<string, Path> = {
  'editor.trigger': ({ codeEditor }, direction) => codeEditor.trigger('menu', direction, null),
  'the model': ({ model }, direction) => (model as unknown as Record<'undo' | 'redo', () => void>)[direction](),
};

function model(participant: Participant): { canUndo(): boolean; canRedo(): boolean } {
  return participant.model as editor.ITextModel & { canUndo(): boolean; canRedo(): boolean };
}

describe.each(Object.entries(PATHS))('through %s', (_name, path) => {
  test("undo takes back one's own text and no other", () => {
    room = new Room('base\n');
    const [ada, grace] = [room.join(), room.join()];
    at(ada, 2, 1);
    type(ada, 'ada');
    at(grace, 1, 1);
    type(grace, 'grace ');
    expect(room.texts()).toEqual(new Set(['grace base\nada']));
    path(ada, 'undo');
    expect(room.texts()).toEqual(new Set(['grace base\n']));
    path(ada, 'undo');
    expect(room.texts()).toEqual(new Set(['grace base\n']));
    path(ada, 'redo');
    expect(room.texts()).toEqual(new Set(['grace base\nada']));
  });
});

test('text of others inside of a deletion stays when it is taken back', () => {
  room = new Room('abcdef');
  const [ada, grace] = [room.join(), room.join()];
  ada.codeEditor.setSelection(new Selection(1, 2, 1, 6));
  ada.codeEditor.trigger('keyboard', 'type', { text: 'X' });
  at(grace, 1, 2);
  type(grace, '!');
  ada.codeEditor.trigger('menu', 'undo', null);
  expect([...room.texts()].map((text) => text.replace('!', ''))).toEqual(['abcdef']);
  expect(room.text.toString()).toContain('!');
});

test('a paste is a step of its own', () => {
  room = new Room();
  const ada = room.join();
  type(ada, 'typed ');
  const pasted = 'pasted '.repeat(20);
  ada.codeEditor.trigger('keyboard', 'paste', { text: pasted });
  type(ada, 'more');
  ada.codeEditor.trigger('menu', 'undo', null);
  expect(room.text.toString()).toBe(`typed ${pasted}`);
  ada.codeEditor.trigger('menu', 'undo', null);
  expect(room.text.toString()).toBe('typed ');
});

test('the caret returns to where it was', () => {
  room = new Room('one two');
  const [ada, grace] = [room.join(), room.join()];
  ada.codeEditor.setSelection(new Selection(1, 5, 1, 8));
  type(ada, 'x');
  at(grace, 1, 1);
  type(grace, '>> ');
  ada.codeEditor.trigger('menu', 'undo', null);
  const selection = ada.codeEditor.getSelection();
  expect([selection?.startColumn, selection?.endColumn]).toEqual([8, 11]);
});

test('says what can be undone, and nothing while read only', () => {
  room = new Room('base');
  const ada = room.join();
  expect(model(ada).canUndo()).toBe(false);
  at(ada, 1, 1);
  type(ada, 'x');
  expect([model(ada).canUndo(), model(ada).canRedo()]).toEqual([true, false]);
  ada.writable = false;
  expect(model(ada).canUndo()).toBe(false);
  ada.codeEditor.trigger('menu', 'undo', null);
  expect(room.texts()).toEqual(new Set(['xbase']));
});
