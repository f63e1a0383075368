/** A list of listeners: the smallest thing that lets one module tell others that something happened. */
export class Signal<T = void> {
  readonly #listeners = new Set<(value: T) => void>();

  /** Adds a listener; the answer removes it. */
  subscribe(listener: (value: T) => void): () => void {
    this.#listeners.add(listener);
    return () => {
      this.#listeners.delete(listener);
    };
  }

  emit(value: T): void {
    for (const listener of [...this.#listeners]) listener(value);
  }
}
