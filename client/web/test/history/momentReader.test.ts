import { afterEach, beforeEach, expect, test, vi } from 'vitest';
import type { Moment } from '../../src/api/past';
import { MomentReader } from '../../src/history/momentReader';

const LONG_ENOUGH = 1_000;
const PERSON = { id: 'ada', name: 'Ada', color: '#123456' };

/** Answers when the test says so, and knows how many requests there were and are. */
class Desk {
  readonly asked: number[] = [];
  readonly shown: number[] = [];
  readonly problems: unknown[] = [];
  mostAtOnce = 0;
  #open = new Map<number, { readonly resolve: (moment: Moment) => void; readonly reject: (error: unknown) => void }>();

  readonly reader = new MomentReader({
    read: (seq, signal) => {
      this.asked.push(seq);
      return new Promise((resolve, reject) => {
        this.#open.set(seq, { resolve, reject });
        this.mostAtOnce = Math.max(this.mostAtOnce, this.#open.size);
        signal.addEventListener('abort', () => this.fail(seq, new DOMException('given up', 'AbortError')));
      });
    },
    onMoment: ({ seq }) => this.shown.push(seq),
    onProblem: (error) => this.problems.push(error),
  });

  async answer(seq: number): Promise<void> {
    this.#open.get(seq)?.resolve({ seq, content: `${seq}`, created_at: '', user: PERSON, kind: 'typed' });
    this.#open.delete(seq);
    await vi.advanceTimersByTimeAsync(0);
  }

  fail(seq: number, error: unknown): void {
    this.#open.get(seq)?.reject(error);
    this.#open.delete(seq);
  }
}

beforeEach(() => void vi.useFakeTimers());
afterEach(() => void vi.useRealTimers());

test('only where somebody rests is asked for, one at a time', async () => {
  const desk = new Desk();
  for (const seq of [9, 8, 7]) desk.reader.want(seq, { atOnce: false });
  expect(desk.asked).toEqual([]);
  await vi.advanceTimersByTimeAsync(LONG_ENOUGH);
  expect(desk.asked).toEqual([7]);
  desk.reader.want(6, { atOnce: false });
  await vi.advanceTimersByTimeAsync(LONG_ENOUGH);
  await desk.answer(7);
  expect(desk.shown).toEqual([]);
  await desk.answer(6);
  expect(desk.shown).toEqual([6]);
  expect([desk.asked, desk.mostAtOnce, desk.problems]).toEqual([[7, 6], 1, []]);
  expect(desk.reader.isAtRest).toBe(true);
});

test('at once is at once, but not beside another request', async () => {
  const desk = new Desk();
  desk.reader.want(1, { atOnce: true });
  expect(desk.asked).toEqual([1]);
  desk.reader.want(2, { atOnce: true });
  desk.reader.want(1, { atOnce: true });
  await vi.advanceTimersByTimeAsync(0);
  await desk.answer(1);
  expect([desk.shown, desk.mostAtOnce]).toEqual([[1], 1]);
});

test('what has come is not asked for again', async () => {
  const desk = new Desk();
  desk.reader.want(1, { atOnce: true });
  await desk.answer(1);
  desk.reader.want(2, { atOnce: true });
  desk.reader.want(1, { atOnce: false });
  expect([desk.asked, desk.shown]).toEqual([
    [1, 2],
    [1, 1],
  ]);
  await vi.advanceTimersByTimeAsync(LONG_ENOUGH);
  expect(desk.problems).toEqual([]);
});

test('a refusal is said, and the next wish is tried', async () => {
  const desk = new Desk();
  desk.reader.want(1, { atOnce: true });
  desk.fail(1, 'refused');
  await vi.advanceTimersByTimeAsync(0);
  expect([desk.problems, desk.reader.isAtRest]).toEqual([['refused'], true]);
  desk.reader.want(1, { atOnce: true });
  await desk.answer(1);
  expect(desk.shown).toEqual([1]);
});

test('nothing comes any more after the end', async () => {
  const desk = new Desk();
  desk.reader.want(1, { atOnce: true });
  desk.reader.dispose();
  await desk.answer(1);
  await vi.advanceTimersByTimeAsync(LONG_ENOUGH);
  expect([desk.asked, desk.shown, desk.problems]).toEqual([[1], [], []]);
});
