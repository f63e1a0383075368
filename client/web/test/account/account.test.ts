import { afterEach, beforeEach, expect, test, vi } from 'vitest';
import { Account } from '../../src/account/account';
import { SignedOut } from '../../src/account/token';
import { Client } from '../../src/api/client';
import { ApiError, explain, Unreachable } from '../../src/api/http';

interface Sent {
  readonly path: string;
  readonly init: RequestInit;
}

type Reply = { readonly status: number; readonly body?: unknown } | Error;

let sent: Sent[];
let replies: Reply[];

beforeEach(() => {
  vi.useFakeTimers();
  sent = [];
  replies = [];
  vi.stubGlobal('fetch', async (path: string, init: RequestInit) => {
    sent.push({ path, init });
    const reply = replies.shift() ?? new Error('nothing prepared');
    if (reply instanceof Error) throw reply;
    return new Response(reply.body === undefined ? null : JSON.stringify(reply.body), { status: reply.status });
  });
});

afterEach(() => {
  vi.useRealTimers();
  vi.unstubAllGlobals();
});

function signedIn(token: string): Reply {
  const body = {
    access_token: token,
    expires_in: 900,
    user: { id: 'u1', name: 'Ada', email: null },
    organization: { id: 'o1', name: 'Home' },
    role: 'owner',
  };
  return { status: 200, body };
}

const REFUSED: Reply = { status: 401, body: { code: 'refresh_invalid', detail: 'The cookie does not hold.' } };

test('signs in with a ticket', async () => {
  const account = new Account();
  replies = [signedIn('t1')];
  await account.signInWithTicket('secret');
  expect(sent[0]).toMatchObject({ path: '/api/v1/auth/login', init: { body: '{"ticket":"secret"}' } });
  expect(account.state).toMatchObject({ status: 'signed-in', identity: { user: { name: 'Ada' } } });
  expect(await account.token({ fresh: false })).toBe('t1');
});

test('renews before the token runs out, and says so', async () => {
  const account = new Account();
  const renewed: string[] = [];
  account.renewed.subscribe((token) => renewed.push(token));
  replies = [signedIn('t1'), new TypeError('network'), signedIn('t2')];
  await account.signInWithTicket('secret');
  await vi.advanceTimersByTimeAsync(900_000 * 0.75);
  expect(renewed).toEqual([]);
  await vi.advanceTimersByTimeAsync(15_000);
  expect(renewed).toEqual(['t2']);
  expect(await account.token({ fresh: false })).toBe('t2');
});

test('asks once for all who ask at the same time', async () => {
  const account = new Account();
  replies = [signedIn('t1')];
  const tokens = await Promise.all([account.token({ fresh: true }), account.token({ fresh: true }), account.resume()]);
  expect(tokens.slice(0, 2)).toEqual(['t1', 't1']);
  expect(sent).toHaveLength(1);
});

test('a cookie that does not hold any more signs out and remembers who it was', async () => {
  const account = new Account();
  replies = [signedIn('t1'), REFUSED];
  await account.signInWithTicket('secret');
  await expect(account.token({ fresh: true })).rejects.toThrow(SignedOut);
  expect(account.state).toMatchObject({ status: 'signed-out', last: { user: { name: 'Ada' } } });
});

test('a network that fails does not sign out', async () => {
  const account = new Account();
  replies = [new TypeError('network')];
  await expect(account.resume()).rejects.toThrow(Unreachable);
  expect(account.state.status).toBe('unknown');
});

test('a request whose token had run out is sent again with a fresh one', async () => {
  const account = new Account();
  const client = new Client(account);
  replies = [
    signedIn('t1'),
    { status: 401, body: { code: 'token_expired' } },
    signedIn('t2'),
    { status: 200, body: [] },
  ];
  await account.signInWithTicket('secret');
  await client.send({ method: 'GET', path: '/prompts' });
  const tokens = sent.map(({ init }) => new Headers(init.headers).get('Authorization'));
  expect(tokens).toEqual([null, 'Bearer t1', null, 'Bearer t2']);
});

test('problems speak for themselves', async () => {
  const client = new Client(new Account());
  replies = [signedIn('t1'), { status: 409, body: { code: 'conflict', title: 'Conflict', detail: 'It changed.' } }];
  const refusal = await client.send({ method: 'GET', path: '/x' }).catch((error: unknown) => error);
  expect(refusal).toBeInstanceOf(ApiError);
  expect(refusal).toMatchObject({ status: 409, code: 'conflict' });
  expect(explain(refusal)).toBe('It changed.');
});
