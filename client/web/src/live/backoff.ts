/**
 * How long to wait before the next attempt: doubling, with jitter, bounded.
 *
 * It starts over only when a connection proved stable; a connection that ends as soon as it is synced (a frame
 * the server does not take, say) would otherwise be repeated for ever at full speed.
 */

const FIRST_DELAY = 400;
const LONGEST_DELAY = 5_000;

export class Backoff {
  #attempts = 0;
  readonly #random: () => number;

  constructor(random: () => number = Math.random) {
    this.#random = random;
  }

  /** The next delay in milliseconds, between half and the whole of a doubling bound. */
  next(): number {
    const bound = Math.min(FIRST_DELAY * 2 ** this.#attempts, LONGEST_DELAY);
    this.#attempts += 1;
    return bound * (0.5 + this.#random() / 2);
  }

  reset(): void {
    this.#attempts = 0;
  }
}
