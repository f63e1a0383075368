/**
 * A server in memory: the dialect as y-protocols itself speaks it, with acknowledgements, over sockets that
 * deliver only when told to. No time passes and nothing is random.
 */
import * as decoding from 'lib0/decoding';
import * as encoding from 'lib0/encoding';
import { Awareness, applyAwarenessUpdate, encodeAwarenessUpdate } from 'y-protocols/awareness';
import { readSyncMessage, writeSyncStep1, writeUpdate } from 'y-protocols/sync';
import * as Y from 'yjs';

/** More frames than any test exchanges at once. */
const MAX_STEPS = 10_000;

/** The browser's end of a connection, as `Connection` uses a WebSocket. */
export class MemorySocket {
  binaryType = 'blob';
  onopen: (() => void) | null = null;
  onmessage: ((event: { data: ArrayBuffer }) => void) | null = null;
  onclose: ((event: { code: number; reason: string }) => void) | null = null;
  readonly sent: Uint8Array[] = [];
  closedByClient = false;

  constructor(
    readonly address: string,
    readonly protocols: string[],
  ) {}

  send(frame: Uint8Array): void {
    this.sent.push(frame);
  }

  close(): void {
    this.closedByClient = true;
  }
}

interface Line {
  readonly socket: MemorySocket;
  read: number;
  ordinal: number;
  outgoing: Uint8Array[];
}

export class MemoryServer {
  readonly doc = new Y.Doc();
  readonly text = this.doc.getText('content');
  readonly awareness = new Awareness(this.doc);
  readonly sockets: MemorySocket[] = [];
  readonly tokens: string[] = [];
  /** How many awareness messages clients have sent. */
  awarenessReceived = 0;
  /** While false, messages are stored and not acknowledged. */
  acknowledges = true;
  #lines: Line[] = [];

  constructor() {
    this.awareness.setLocalState(null);
    this.doc.on('update', (update: Uint8Array, origin: unknown) => {
      const frame = framed(0, (encoder) => writeUpdate(encoder, update));
      for (const line of this.#lines) if (line !== origin) line.outgoing.push(frame);
    });
    this.awareness.on('update', ({ added, updated, removed }: Record<'added' | 'updated' | 'removed', number[]>) => {
      const payload = encodeAwarenessUpdate(this.awareness, [...added, ...updated, ...removed]);
      for (const line of this.#lines) line.outgoing.push(awarenessFrame(payload));
    });
  }

  /** To be handed to `Connection` as `openSocket`. */
  readonly openSocket = (address: string, protocols: string[]): WebSocket => {
    const socket = new MemorySocket(address, protocols);
    this.sockets.push(socket);
    return socket as unknown as WebSocket;
  };

  get latest(): MemorySocket {
    const socket = this.sockets.at(-1);
    if (!socket) throw new Error('no socket was opened');
    return socket;
  }

  /** Accepts the latest socket and says hello, as the real server does. */
  accept(joined: Record<string, unknown> = {}, socket = this.latest): void {
    const line: Line = { socket, read: 0, ordinal: 0, outgoing: [] };
    this.#lines.push(line);
    socket.onopen?.();
    this.#event(line, { type: 'room.joined', role: 'editor', epoch: 1, user_id: 'u1', name: 'Ada', ...joined });
    line.outgoing.push(framed(0, (encoder) => writeSyncStep1(encoder, this.doc)));
    const present = [...this.awareness.getStates().keys()];
    if (present.length > 0) line.outgoing.push(awarenessFrame(encodeAwarenessUpdate(this.awareness, present)));
  }

  /** Asks every client for a sync step again, as after a hold-back or a slow reader. */
  askForSync(): void {
    for (const line of this.#lines) line.outgoing.push(framed(0, (encoder) => writeSyncStep1(encoder, this.doc)));
  }

  event(event: Record<string, unknown>): void {
    for (const line of this.#lines) this.#event(line, event);
  }

  /** Sends raw bytes to the latest client. */
  sendRaw(frame: Uint8Array): void {
    this.#lines.at(-1)?.outgoing.push(frame);
  }

  /** Ends the latest connection. */
  drop(code = 1006, reason = '', socket = this.latest): void {
    this.#lines = this.#lines.filter((line) => line.socket !== socket);
    socket.onclose?.({ code, reason });
  }

  /** Moves frames in both directions until there are none. */
  run(): void {
    for (let steps = 0; this.#lines.some((line) => this.#read(line) || this.#write(line)); steps += 1) {
      if (steps > MAX_STEPS) throw new Error('client and server keep answering each other');
    }
  }

  #read(line: Line): boolean {
    const frame = line.socket.sent[line.read];
    if (!frame) return false;
    line.read += 1;
    const decoder = decoding.createDecoder(frame);
    const type = decoding.readVarUint(decoder);
    if (type === 0) this.#readSync(line, decoder);
    else if (type === 1) {
      this.awarenessReceived += 1;
      applyAwarenessUpdate(this.awareness, decoding.readVarUint8Array(decoder), line);
    } else if (type === 10) this.tokens.push(decoding.readVarString(decoder));
    return true;
  }

  #readSync(line: Line, decoder: decoding.Decoder): void {
    const answer = encoding.createEncoder();
    encoding.writeVarUint(answer, 0);
    const step = readSyncMessage(decoder, answer, this.doc, line);
    if (encoding.length(answer) > 1) line.outgoing.push(encoding.toUint8Array(answer));
    if (step === 0) return;
    line.ordinal += 1;
    if (this.acknowledges) this.acknowledge(line.ordinal, line);
  }

  acknowledge(count: number, line = this.#lines.at(-1)): void {
    line?.outgoing.push(framed(8, (encoder) => encoding.writeVarUint(encoder, count)));
  }

  #write(line: Line): boolean {
    const frame = line.outgoing.shift();
    if (!frame) return false;
    line.socket.onmessage?.({ data: frame.slice().buffer });
    return true;
  }

  #event(line: Line, event: Record<string, unknown>): void {
    line.outgoing.push(framed(9, (encoder) => encoding.writeVarString(encoder, JSON.stringify(event))));
  }

  destroy(): void {
    this.awareness.destroy();
    this.doc.destroy();
  }
}

function framed(type: number, write: (encoder: encoding.Encoder) => void): Uint8Array {
  return encoding.encode((encoder) => {
    encoding.writeVarUint(encoder, type);
    write(encoder);
  });
}

function awarenessFrame(payload: Uint8Array): Uint8Array {
  return framed(1, (encoder) => encoding.writeVarUint8Array(encoder, payload));
}
