/**
 * Which local edits are committed, from the server's cumulative acknowledgements.
 *
 * Rules
 *   1. An edit is kept from the moment it is made until an acknowledgement covers it.
 *   2. Every step-2 and update message sent on a connection has the next ordinal, starting at 1.
 *   3. `acknowledge(n)` covers the messages 1..n of this connection, and the edits they carried.
 *   4. A step 2 carries every edit kept at that moment, those that were sent before included.
 *   5. A new connection starts at ordinal 1; edits that were not covered are kept and have no ordinal again.
 */

interface Kept {
  readonly update: Uint8Array;
  /** The ordinal of the first message of this connection that carries the edit; `null`: not sent yet. */
  ordinal: number | null;
}

/** An acknowledgement for messages that were never sent: nothing it says can be believed. */
export class AcknowledgementError extends Error {
  override readonly name = 'AcknowledgementError';
}

export class Ledger {
  #kept: Kept[] = [];
  #sent = 0;

  /** How many local edits are not known to be committed. */
  get edits(): number {
    return this.#kept.length;
  }

  /** The updates that are not known to be committed, oldest first. */
  get updates(): Uint8Array[] {
    return this.#kept.map((kept) => kept.update);
  }

  /** A local edit was made and could not be sent yet. */
  keep(update: Uint8Array): void {
    this.#kept.push({ update, ordinal: null });
  }

  /** A local edit was made and sent as an update message. */
  keepSent(update: Uint8Array): void {
    this.#sent += 1;
    this.#kept.push({ update, ordinal: this.#sent });
  }

  /** A step 2 was sent that holds everything kept so far. */
  sentStep2(): void {
    this.#sent += 1;
    for (const kept of this.#kept) kept.ordinal ??= this.#sent;
  }

  /** A step 2 was sent that holds nothing; the kept edits follow one by one with `resent`. */
  sentEmptyStep2(): void {
    this.#sent += 1;
  }

  /** The kept edit at `index` was sent as an update message of its own. */
  resent(index: number): void {
    this.#sent += 1;
    const kept = this.#kept[index];
    if (kept) kept.ordinal = this.#sent;
  }

  /** The first `count` messages are committed; answers whether edits were among them. */
  acknowledge(count: number): boolean {
    if (count > this.#sent) {
      throw new AcknowledgementError(`${count} messages acknowledged, ${this.#sent} sent`);
    }
    const before = this.#kept.length;
    this.#kept = this.#kept.filter((kept) => kept.ordinal === null || kept.ordinal > count);
    return this.#kept.length < before;
  }

  /** A new connection: nothing was sent on it yet. */
  restart(): void {
    this.#sent = 0;
    for (const kept of this.#kept) kept.ordinal = null;
  }
}
