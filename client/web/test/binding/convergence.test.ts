// @vitest-environment happy-dom
import { Selection } from 'monaco-editor/editor';
import { afterEach, expect, test } from 'vitest';
import { Random } from '../support/random';
import { type Participant, Room } from '../support/room';

let room: Room;
afterEach(() => room.dispose());

const TEXTS = ['a', 'word ', '\n', '\r\n', '😀', '👩‍👩‍👧', 'é', '{{name}}', 'x\ud83d', '', 'two\nlines\n', '日本語'];

/** Sessions of three people who do anything an editor lets them do, some of the time offline. */
test.each(Array.from({ length: 8 }, (_, index) => index + 1))('seed %i', async (seed) => {
  const random = new Random(seed);
  room = new Room('---\nmodel: any\n---\nHello {{name}} 😀\n');
  for (let index = 0; index < 3; index += 1) room.join();
  for (let step = 0; step < 120; step += 1) {
    act(random, random.pick(room.participants));
    await Promise.resolve();
    await Promise.resolve();
  }
  for (const participant of room.participants) room.reconnect(participant);
  for (const participant of room.participants) room.reconnect(participant);
  expect([...room.texts()]).toHaveLength(1);
  expect(room.text.toString()).not.toContain('\r');
});

function act(random: Random, participant: Participant): void {
  const { codeEditor, model, text } = participant;
  switch (random.below(10)) {
    case 0:
      if (participant.online) participant.online = false;
      else room.reconnect(participant);
      break;
    case 1:
      codeEditor.trigger('menu', random.pick(['undo', 'redo']), null);
      break;
    case 2:
      model.setValue(text.toString().replace('\n', random.pick(['\r\n', '\n', ' '])));
      break;
    case 3:
      codeEditor.trigger('keyboard', 'deleteLeft', null);
      break;
    case 4:
      codeEditor.trigger('keyboard', 'paste', { text: random.pick(TEXTS).repeat(3) });
      break;
    case 5:
    case 6:
      codeEditor.setSelections(Array.from({ length: 1 + random.below(3) }, () => anySelection(random, participant)));
      break;
    default:
      codeEditor.trigger('keyboard', 'type', { text: random.pick(TEXTS) });
  }
}

function anySelection(random: Random, { model }: Participant): Selection {
  const start = model.getPositionAt(random.below(model.getValueLength() + 1));
  const end = random.below(2) ? start : model.getPositionAt(random.below(model.getValueLength() + 1));
  return Selection.fromPositions(start, end);
}
