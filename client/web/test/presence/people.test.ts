import { expect, test } from 'vitest';
import { initials, listPeople } from '../../src/presence/people';

const ADA = { id: 'u1', name: 'Ada', color: '#112233', role: 'owner' };
const GRACE = { id: 'u2', name: 'Grace', color: '#445566', role: 'viewer' };

test('one entry for a person, with a label for each tab', () => {
  const states = new Map<number, Record<string, unknown>>([
    [30, { user: GRACE }],
    [20, { user: ADA }],
    [10, { user: GRACE }],
  ]);
  expect(listPeople(states, 'u1')).toEqual([
    { userId: 'u1', name: 'Ada', color: '#112233', role: 'owner', isYou: true, tabs: [{ clientId: 20, label: 'Ada' }] },
    {
      userId: 'u2',
      name: 'Grace',
      color: '#445566',
      role: 'viewer',
      isYou: false,
      tabs: [
        { clientId: 10, label: 'Grace' },
        { clientId: 30, label: 'Grace (2)' },
      ],
    },
  ]);
});

test('who says nothing of themselves is not listed; what is wrong is put right', () => {
  const states = new Map<number, Record<string, unknown>>([
    [1, {}],
    [2, { user: null }],
    [3, { user: { id: 7 } }],
    [4, { user: { id: 'u', name: 'n'.repeat(100), color: 'javascript:', role: 'king' } }],
  ]);
  const people = listPeople(states, '');
  expect(people).toHaveLength(1);
  expect(people[0]).toMatchObject({ role: null, color: expect.stringMatching(/^#[0-9a-f]{6}$/) });
  expect(people[0]?.tabs[0]?.label).toHaveLength(40);
});

test.each([
  ['Ada', 'A'],
  ['Grace Brewster Hopper', 'GH'],
  ['😀 smile', '😀S'],
  ['  ', '?'],
])('the initials of %j', (name, expected) => {
  expect(initials(name)).toBe(expected);
});
