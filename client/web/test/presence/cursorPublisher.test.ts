// @vitest-environment happy-dom
import { Selection } from 'monaco-editor/editor';
import { afterEach, beforeEach, expect, test, vi } from 'vitest';
import { Awareness } from 'y-protocols/awareness';
import { toOffsets } from '../../src/binding/selections';
import { publishCursors } from '../../src/presence/cursorPublisher';
import { type Participant, Room } from '../support/room';

let room: Room;
let ada: Participant;
let grace: Participant;
let awareness: Awareness;
let told: number;
let stop: () => void;

beforeEach(() => {
  // Monaco's frames stay real: it cannot paint here.
  vi.useFakeTimers({ toFake: ['setTimeout', 'clearTimeout'] });
  room = new Room('one\ntwo\nthree');
  ada = room.join();
  grace = room.join();
  awareness = new Awareness(ada.doc);
  stop = publishCursors({ codeEditor: ada.codeEditor, model: ada.model, text: ada.text, awareness });
  vi.advanceTimersByTime(50);
  told = 0;
  awareness.on('update', () => {
    told += 1;
  });
});

afterEach(() => {
  stop();
  awareness.destroy();
  room.dispose();
  vi.useRealTimers();
});

function at(participant: Participant, line: number, column: number): void {
  participant.codeEditor.setSelection(new Selection(line, column, line, column));
}

function type(participant: Participant, text: string): void {
  for (const character of text) participant.codeEditor.trigger('keyboard', 'type', { text: character });
}

function head(): number | undefined {
  return toOffsets(ada.text, awareness.getLocalState()?.['selection'])?.head;
}

test('tells from the start where one is', () => {
  expect(head()).toBe(ada.text.length);
});

test('tells the first move at once and the rest at most 20 times a second', () => {
  for (let column = 1; column <= 4; column += 1) at(ada, 2, column);
  expect(told).toBe(1);
  vi.advanceTimersByTime(50);
  expect(told).toBe(2);
  expect(head()).toBe(7);
  vi.advanceTimersByTime(1000);
  expect(told).toBe(2);
});

test('says nothing when others type, and is still right', () => {
  at(ada, 2, 2);
  vi.advanceTimersByTime(100);
  told = 0;
  at(grace, 1, 1);
  type(grace, 'typed by grace ');
  vi.advanceTimersByTime(1000);
  expect(told).toBe(0);
  expect(head()).toBe(ada.model.getOffsetAt({ lineNumber: 2, column: 2 }));
});

test('typing needs no message: the caret stays before the same character', () => {
  at(ada, 2, 2);
  vi.advanceTimersByTime(100);
  told = 0;
  type(ada, 'many keys');
  vi.advanceTimersByTime(1000);
  expect(told).toBe(0);
  expect(head()).toBe(ada.model.getOffsetAt({ lineNumber: 2, column: 11 }));
});

test('tells every selection', () => {
  ada.codeEditor.setSelections([new Selection(1, 1, 1, 3), new Selection(3, 2, 3, 1)]);
  const state = awareness.getLocalState() ?? {};
  expect(toOffsets(ada.text, state['selection'])).toEqual({ anchor: 0, head: 2 });
  expect((state['otherSelections'] as unknown[]).map((each) => toOffsets(ada.text, each))).toEqual([
    { anchor: 9, head: 8 },
  ]);
});

test('keeps what presence says besides', () => {
  awareness.setLocalStateField('user', { name: 'Ada' });
  at(ada, 1, 2);
  expect(awareness.getLocalState()?.['user']).toEqual({ name: 'Ada' });
});
