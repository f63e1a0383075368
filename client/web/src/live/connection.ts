/**
 * One prompt's socket: opens it, watches it, and opens the next one.
 *
 * States
 *   connecting  a token is being fetched or the socket is opening.
 *   open        frames flow in both directions.
 *   waiting     the socket is gone; the next attempt is due after a delay, or at once with `retryNow`.
 *   closed      over: a final close code, a sign-in that is gone, or `stop`.
 *
 *   connecting → open → waiting → connecting …; every state → closed.
 */
import { SignedOut, type TokenSource } from '../account/token';
import { readClosing } from '../wire/closing';
import { SUBPROTOCOL } from '../wire/message';
import { Backoff } from './backoff';
import type { Peer } from './peer';
import { Signal } from './signal';

export type ConnectionStatus = 'connecting' | 'open' | 'waiting' | 'closed';

/** Why the connection will not come back. */
export interface FinalClosing {
  readonly code: number;
  readonly reason: string;
}

/** Why the connection is away for now, as far as the server said. */
export type Absence = 'unreachable' | 'restarting' | 'overloaded';

export interface ConnectionOptions {
  /** The address of the socket; asked for before every attempt. */
  readonly address: () => string;
  readonly token: TokenSource;
  readonly peer: Peer;
  /** Opens a socket; tests hand in their own. */
  readonly openSocket?: (address: string, protocols: string[]) => WebSocket;
  readonly random?: () => number;
}

const NOT_AUTHENTICATED = 4401;
/** The server says something every 15 s; twice that without a word and the line is dead. In milliseconds. */
const LONGEST_SILENCE = 32_000;
const SILENCE_CHECK = 4_000;
/** A connection this old has proved itself: the next failure starts the back-off anew. */
const STABLE_AFTER = 10_000;

export class Connection {
  /** The status changed. */
  readonly changed = new Signal();

  readonly #options: ConnectionOptions;
  readonly #backoff: Backoff;
  #status: ConnectionStatus = 'waiting';
  #finalClosing: FinalClosing | null = null;
  #absence: Absence = 'unreachable';
  #socket: WebSocket | null = null;
  #attempt = 0;
  #heardAt = 0;
  #heardOnThisSocket = false;
  #wantsFreshToken = false;
  #usedFreshToken = false;
  #retryTimer: ReturnType<typeof setTimeout> | undefined;
  #silenceTimer: ReturnType<typeof setInterval> | undefined;
  #stableTimer: ReturnType<typeof setTimeout> | undefined;

  constructor(options: ConnectionOptions) {
    this.#options = options;
    this.#backoff = new Backoff(options.random);
  }

  get status(): ConnectionStatus {
    return this.#status;
  }

  get finalClosing(): FinalClosing | null {
    return this.#finalClosing;
  }

  /** Why it is away; meaningful while it is not open. */
  get absence(): Absence {
    return this.#absence;
  }

  start(): void {
    void this.#connect();
  }

  /** Does not wait for the delay to pass; a connection that is over starts again. */
  retryNow(): void {
    if (this.#status !== 'waiting' && this.#status !== 'closed') return;
    this.#finalClosing = null;
    void this.#connect();
  }

  /** Hands the open connection a fresh token; without one the next attempt asks for it anyway. */
  renewToken(token: string): void {
    if (this.#status === 'open') this.#options.peer.renewToken(token);
  }

  stop(): void {
    this.#abandonSocket();
    this.#setStatus('closed');
  }

  async #connect(): Promise<void> {
    this.#abandonSocket();
    this.#attempt += 1;
    const attempt = this.#attempt;
    this.#setStatus('connecting');
    const fresh = this.#wantsFreshToken;
    let token: string;
    try {
      token = await this.#options.token({ fresh });
    } catch (error) {
      if (attempt === this.#attempt) this.#tokenFailed(error);
      return;
    }
    if (attempt !== this.#attempt) return;
    this.#wantsFreshToken = false;
    this.#usedFreshToken = fresh;
    this.#openSocket(token);
  }

  #tokenFailed(error: unknown): void {
    if (error instanceof SignedOut) this.#finish({ code: NOT_AUTHENTICATED, reason: error.message });
    else this.#waitAndRetry(null);
  }

  #openSocket(token: string): void {
    const open = this.#options.openSocket ?? ((address, protocols) => new WebSocket(address, protocols));
    const socket = open(this.#options.address(), [SUBPROTOCOL, `bearer.${token}`]);
    socket.binaryType = 'arraybuffer';
    this.#socket = socket;
    this.#heardOnThisSocket = false;
    this.#heardAt = Date.now();
    this.#silenceTimer = setInterval(() => this.#checkSilence(), SILENCE_CHECK);
    socket.onopen = () => this.#opened(socket);
    socket.onmessage = (event: MessageEvent<unknown>) => this.#received(event.data);
    socket.onclose = (event: CloseEvent) => this.#closedByServer(event);
  }

  #opened(socket: WebSocket): void {
    this.#heardAt = Date.now();
    this.#absence = 'unreachable';
    this.#stableTimer = setTimeout(() => this.#backoff.reset(), STABLE_AFTER);
    this.#setStatus('open');
    this.#options.peer.open((frame) => socket.send(frame as Uint8Array<ArrayBuffer>));
  }

  #received(data: unknown): void {
    this.#heardAt = Date.now();
    this.#heardOnThisSocket = true;
    if (!(data instanceof ArrayBuffer)) return;
    try {
      this.#options.peer.receive(new Uint8Array(data));
    } catch (error) {
      // Whatever it was, this connection's state is in doubt: a new one starts from a full sync.
      console.error('promptroom: a frame could not be taken', error);
      this.#waitAndRetry(null);
    }
  }

  #closedByServer({ code, reason }: CloseEvent): void {
    const closing = readClosing(code, reason);
    this.#absence = absenceOf(code);
    if (closing.kind === 'retry') return this.#waitAndRetry(closing.delay);
    if (closing.kind === 'final') return this.#finish(closing);
    if (this.#usedFreshToken && !this.#heardOnThisSocket) {
      return this.#finish({ code: NOT_AUTHENTICATED, reason: 'not authenticated' });
    }
    this.#wantsFreshToken = true;
    this.#waitAndRetry(0);
  }

  #checkSilence(): void {
    if (Date.now() - this.#heardAt > LONGEST_SILENCE) this.#waitAndRetry(null);
  }

  #waitAndRetry(delay: number | null): void {
    this.#abandonSocket();
    this.#retryTimer = setTimeout(() => void this.#connect(), delay ?? this.#backoff.next());
    this.#setStatus('waiting');
  }

  #finish(closing: FinalClosing): void {
    this.#abandonSocket();
    this.#finalClosing = { code: closing.code, reason: closing.reason };
    this.#setStatus('closed');
  }

  #abandonSocket(): void {
    this.#attempt += 1;
    clearTimeout(this.#retryTimer);
    clearTimeout(this.#stableTimer);
    clearInterval(this.#silenceTimer);
    const socket = this.#socket;
    if (!socket) return;
    this.#socket = null;
    socket.onopen = socket.onmessage = socket.onclose = null;
    socket.close();
    this.#options.peer.close();
  }

  #setStatus(status: ConnectionStatus): void {
    this.#status = status;
    this.changed.emit();
  }
}

function absenceOf(code: number): Absence {
  if (code === 1012) return 'restarting';
  return code === 1013 ? 'overloaded' : 'unreachable';
}
