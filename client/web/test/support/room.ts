/** Editors in real Monaco over documents that exchange every update, at once or when told to. */
import { editor } from 'monaco-editor/editor';
import * as Y from 'yjs';
import { Binding, type Refusal } from '../../src/binding/binding';
import { keepCarets } from '../../src/binding/caretKeeper';
import { Undo } from '../../src/binding/undo';

export interface Participant {
  readonly doc: Y.Doc;
  readonly text: Y.Text;
  readonly model: editor.ITextModel;
  readonly codeEditor: editor.IStandaloneCodeEditor;
  readonly binding: Binding;
  readonly undo: Undo;
  readonly refusals: Refusal[];
  /** How many updates this participant's document has made. */
  updates: number;
  writable: boolean;
  /** While false, updates wait in both directions. */
  online: boolean;
  dispose(): void;
}

/** A document that everybody's edits go through, as the server's does. */
export class Room {
  readonly doc = new Y.Doc();
  readonly text = this.doc.getText('content');
  readonly participants: Participant[] = [];

  constructor(initial = '') {
    this.text.insert(0, initial);
    this.doc.on('update', (update: Uint8Array, origin: unknown) => {
      for (const participant of this.participants) {
        if (participant.online && participant !== origin) Y.applyUpdate(participant.doc, update, this);
      }
    });
  }

  join(): Participant {
    const doc = new Y.Doc();
    const text = doc.getText('content');
    Y.applyUpdate(doc, Y.encodeStateAsUpdate(this.doc), this);
    const model = editor.createModel('', 'plaintext');
    const host = document.createElement('div');
    document.body.append(host);
    const codeEditor = editor.create(host, { model, minimap: { enabled: false }, overviewRulerLanes: 0 });
    const origin = Symbol('local');
    const refusals: Refusal[] = [];
    const writable = (): boolean => participant.writable;
    const undo = new Undo({ model, text, origin, writable, codeEditor });
    const keep = keepCarets(codeEditor, model);
    const binding = new Binding({
      model,
      text,
      origin,
      writable,
      onRefused: (refusal) => refusals.push(refusal),
      beforeRemoteEdits: (edits, cause) => (undo.isOrigin(cause) ? () => undefined : keep(edits)),
    });
    const participant: Participant = {
      doc,
      text,
      model,
      codeEditor,
      binding,
      undo,
      refusals,
      updates: 0,
      writable: true,
      online: true,
      dispose: () => {
        binding.dispose();
        undo.dispose();
        codeEditor.dispose();
        model.dispose();
        host.remove();
      },
    };
    doc.on('update', (update: Uint8Array, cause: unknown) => {
      if (cause === this) return;
      participant.updates += 1;
      if (participant.online) Y.applyUpdate(this.doc, update, participant);
    });
    this.participants.push(participant);
    return participant;
  }

  /** Brings a participant that was away up to date, both ways. */
  reconnect(participant: Participant): void {
    participant.online = true;
    Y.applyUpdate(this.doc, Y.encodeStateAsUpdate(participant.doc), participant);
    Y.applyUpdate(participant.doc, Y.encodeStateAsUpdate(this.doc), this);
  }

  /** The texts of the room and of every document and model in it: all equal when everything is well. */
  texts(): Set<string> {
    const texts = this.participants.flatMap(({ text, model }) => [text.toString(), model.getValue()]);
    return new Set([this.text.toString(), ...texts]);
  }

  dispose(): void {
    for (const participant of this.participants) participant.dispose();
  }
}
