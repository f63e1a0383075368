import { expect, test } from 'vitest';
import { AcknowledgementError, Ledger } from '../../src/live/ledger';

const EDIT = Uint8Array.of(1);

test('an edit counts until its message is acknowledged', () => {
  const ledger = new Ledger();
  ledger.sentStep2();
  ledger.keepSent(EDIT);
  ledger.keepSent(EDIT);
  expect(ledger.acknowledge(1)).toBe(false);
  expect(ledger.edits).toBe(2);
  expect(ledger.acknowledge(2)).toBe(true);
  expect(ledger.edits).toBe(1);
  ledger.acknowledge(3);
  expect(ledger.edits).toBe(0);
});

test('edits made while offline travel with the step 2', () => {
  const ledger = new Ledger();
  ledger.keep(EDIT);
  ledger.keep(EDIT);
  ledger.sentStep2();
  expect(ledger.edits).toBe(2);
  ledger.acknowledge(1);
  expect(ledger.edits).toBe(0);
});

test('a new connection forgets ordinals and keeps edits', () => {
  const ledger = new Ledger();
  ledger.sentStep2();
  ledger.keepSent(EDIT);
  ledger.restart();
  expect(() => ledger.acknowledge(1)).toThrow(AcknowledgementError);
  ledger.sentStep2();
  ledger.acknowledge(1);
  expect(ledger.edits).toBe(0);
});

test('a later step 2 does not delay an edit that was sent before', () => {
  const ledger = new Ledger();
  ledger.sentStep2();
  ledger.keepSent(EDIT);
  ledger.sentStep2();
  ledger.acknowledge(2);
  expect(ledger.edits).toBe(0);
});

test('edits sent one by one are acknowledged one by one', () => {
  const ledger = new Ledger();
  ledger.keep(EDIT);
  ledger.keep(EDIT);
  ledger.sentEmptyStep2();
  ledger.resent(0);
  ledger.resent(1);
  ledger.acknowledge(1);
  expect(ledger.edits).toBe(2);
  ledger.acknowledge(2);
  expect(ledger.edits).toBe(1);
  ledger.acknowledge(3);
  expect(ledger.edits).toBe(0);
});

test('an acknowledgement of what was never sent is refused', () => {
  expect(() => new Ledger().acknowledge(1)).toThrow(AcknowledgementError);
});
