// @vitest-environment happy-dom
import { afterEach, beforeEach, expect, test, vi } from 'vitest';
import { Awareness, applyAwarenessUpdate, encodeAwarenessUpdate } from 'y-protocols/awareness';
import { offsetsOf, toRelative } from '../../src/binding/selections';
import { RemoteCarets } from '../../src/presence/remoteCarets';
import { type Participant, Room } from '../support/room';

let room: Room;
let ada: Participant;
let grace: Participant;
let here: Awareness;
let there: Awareness;
let carets: RemoteCarets;

beforeEach(() => {
  room = new Room('one\ntwo\nthree');
  ada = room.join();
  grace = room.join();
  here = new Awareness(ada.doc);
  there = new Awareness(grace.doc);
  here.setLocalState({ user: { id: 'u1', name: 'Ada', color: '#b4232a' } });
  carets = new RemoteCarets({
    codeEditor: ada.codeEditor,
    model: ada.model,
    text: ada.text,
    awareness: here,
    yourUserId: 'u1',
    background: () => '#ffffff',
  });
});

afterEach(() => {
  carets.dispose();
  here.destroy();
  there.destroy();
  room.dispose();
});

function graceSays(state: Record<string, unknown>): void {
  there.setLocalState({ user: { id: 'u2', name: 'Grace', color: '#1f62c4' }, ...state });
  applyAwarenessUpdate(here, encodeAwarenessUpdate(there, [there.clientID]), 'test');
}

function graceStandsAt(line: number, column: number): void {
  grace.codeEditor.setPosition({ lineNumber: line, column });
  const selections = offsetsOf(grace.model, grace.codeEditor.getSelections() ?? []);
  graceSays({ selection: toRelative(grace.text, selections)[0] });
}

/** Carets are shown in the next frame, whenever that is on a busy machine. */
async function until(condition: () => boolean): Promise<void> {
  await vi.waitUntil(condition, { timeout: 10_000, interval: 5 });
}

function flags(): string[] {
  return [...document.querySelectorAll<HTMLElement>('.remote-caret')].map((node) => node.dataset['name'] ?? '');
}

function selectedColors(): number {
  return ada.model.getAllDecorations().filter(({ options }) => options.className?.startsWith('remote-selection-'))
    .length;
}

test('shows others with their names, and never oneself', async () => {
  graceStandsAt(2, 2);
  await until(() => flags().length > 0);
  expect(flags()).toEqual(['Grace']);
});

test('shows a selection, and takes it away with its owner', async () => {
  const [selection] = toRelative(ada.text, [{ anchor: 0, head: 5 }]);
  graceSays({ selection });
  await until(() => selectedColors() === 1);
  there.setLocalState(null);
  applyAwarenessUpdate(here, encodeAwarenessUpdate(there, [there.clientID]), 'test');
  await until(() => flags().length === 0);
  expect(selectedColors()).toBe(0);
});

test('one flag for several carets of a tab', async () => {
  const [selection, ...otherSelections] = toRelative(ada.text, [
    { anchor: 1, head: 1 },
    { anchor: 5, head: 5 },
  ]);
  graceSays({ selection, otherSelections });
  await until(() => flags().length === 2);
  expect(flags()).toEqual(['Grace', '']);
});

test.each([null, 7, {}, { anchor: {}, head: {} }, { anchor: { type: 'x' }, head: null }])(
  'a selection that makes no sense is passed over: %j',
  async (selection) => {
    graceSays({ selection });
    graceStandsAt(1, 1);
    await until(() => flags().length > 0);
    graceSays({ selection });
    await until(() => flags().length === 0);
  },
);
