/**
 * Reads moments for somebody who moves quickly from one to the next: waits until they rest, gives up what they no
 * longer want, keeps what came, and has never more than one request under way.
 */
import type { Moment } from '../api/past';

/** In milliseconds: whoever drags a slider stops for longer to look. */
const REST = 100;
/** Of long texts, as many take tens of megabytes. */
const MOST_KEPT = 300;

export interface MomentReaderOptions {
  readonly read: (seq: number, signal: AbortSignal) => Promise<Moment>;
  readonly onMoment: (moment: Moment) => void;
  readonly onProblem: (error: unknown) => void;
}

interface Flight {
  readonly seq: number;
  readonly controller: AbortController;
}

export class MomentReader {
  readonly #options: MomentReaderOptions;
  readonly #kept = new Map<number, Moment>();
  /** What is wanted and has not come. */
  #wanted: number | null = null;
  #flight: Flight | null = null;
  #timer: ReturnType<typeof setTimeout> | undefined;

  constructor(options: MomentReaderOptions) {
    this.#options = options;
  }

  /** Whether everything wanted has come. */
  get isAtRest(): boolean {
    return this.#wanted === null;
  }

  /** Wants a moment instead of any other; `atOnce`: without waiting for more wishes. */
  want(seq: number, { atOnce }: { readonly atOnce: boolean }): void {
    this.#forget();
    const kept = this.#kept.get(seq);
    if (kept) {
      this.#flight?.controller.abort();
      this.#options.onMoment(kept);
      return;
    }
    this.#wanted = seq;
    if (this.#flight?.seq === seq && !this.#flight.controller.signal.aborted) return;
    this.#flight?.controller.abort();
    if (atOnce) this.#ask();
    else this.#timer = setTimeout(() => this.#ask(), REST);
  }

  dispose(): void {
    this.#forget();
    this.#flight?.controller.abort();
  }

  #forget(): void {
    clearTimeout(this.#timer);
    this.#timer = undefined;
    this.#wanted = null;
  }

  /** Asks for what is wanted, now or when the request before it has ended. */
  #ask(): void {
    this.#timer = undefined;
    if (this.#flight || this.#wanted === null) return;
    const flight = { seq: this.#wanted, controller: new AbortController() };
    const { signal } = flight.controller;
    this.#flight = flight;
    this.#options
      .read(flight.seq, signal)
      .then(
        (moment) => this.#land(moment),
        (error: unknown) => signal.aborted || this.#fail(error),
      )
      .finally(() => {
        this.#flight = null;
        if (this.#timer === undefined) this.#ask();
      });
  }

  #land(moment: Moment): void {
    this.#kept.set(moment.seq, moment);
    const [oldest] = this.#kept.keys();
    if (this.#kept.size > MOST_KEPT && oldest !== undefined) this.#kept.delete(oldest);
    if (this.#wanted !== moment.seq) return;
    this.#wanted = null;
    this.#options.onMoment(moment);
  }

  #fail(error: unknown): void {
    this.#wanted = null;
    this.#options.onProblem(error);
  }
}
