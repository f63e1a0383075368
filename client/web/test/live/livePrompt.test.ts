import * as encoding from 'lib0/encoding';
import { afterEach, beforeEach, describe, expect, test, vi } from 'vitest';
import * as Y from 'yjs';
import { SignedOut, type TokenSource } from '../../src/account/token';
import { LivePrompt } from '../../src/live/livePrompt';
import { describe as words } from '../../src/live/savedState';
import type { Stash } from '../../src/live/stash';
import { encode } from '../../src/wire/codec';
import { MemoryServer } from '../support/memoryServer';

class MemoryStash {
  left: Uint8Array[] = [];
  kept: Uint8Array[] = [];
  forgotten = 0;
  adopt = async (): Promise<Uint8Array[]> => this.left;
  keep = (update: Uint8Array): void => void this.kept.push(update);
  flush = async (): Promise<void> => undefined;
  forget = (): void => {
    this.forgotten += 1;
    this.kept = [];
  };
}

let server: MemoryServer;
let stash: MemoryStash;
const opened: LivePrompt[] = [];

beforeEach(() => {
  vi.useFakeTimers();
  vi.stubGlobal('location', { href: 'https://room.example/prompts/p1' });
  server = new MemoryServer();
  stash = new MemoryStash();
});

afterEach(() => {
  for (const prompt of opened.splice(0)) prompt.destroy();
  server.destroy();
  vi.useRealTimers();
  vi.unstubAllGlobals();
});

function open(token: TokenSource = async () => 'token-1'): LivePrompt {
  const prompt = new LivePrompt({
    promptId: 'p1',
    epoch: 3,
    name: 'Greeting',
    role: 'editor',
    userId: 'u1',
    token,
    openSocket: server.openSocket,
    random: () => 1,
    openStash: () => stash as unknown as Stash,
  });
  opened.push(prompt);
  prompt.start();
  return prompt;
}

/** A presence message about one client, as the server sends it back with its stamp. */
function stamped(clientId: number, state: object): Uint8Array {
  const payload = encoding.encode((encoder) => {
    encoding.writeVarUint(encoder, 1);
    encoding.writeVarUint(encoder, clientId);
    encoding.writeVarUint(encoder, 1);
    encoding.writeVarString(encoder, JSON.stringify(state));
  });
  return encode({ kind: 'awareness', payload });
}

async function opensSockets(count: number): Promise<void> {
  await vi.waitUntil(() => server.sockets.length === count, { timeout: 10_000, interval: 1 });
}

async function join(prompt: LivePrompt, joined: Record<string, unknown> = {}): Promise<void> {
  await opensSockets(server.sockets.length || 1);
  server.accept(joined);
  server.run();
  expect(prompt.snapshot.ready).toBe(true);
  await vi.advanceTimersByTimeAsync(0);
  server.run();
}

function saved(prompt: LivePrompt): string {
  return words(prompt.snapshot.saved);
}

describe('joining', () => {
  test('offers the subprotocol and the token, and never puts the token into the address', async () => {
    open();
    await opensSockets(1);
    expect(server.latest.protocols).toEqual(['promptroom.v1', 'bearer.token-1']);
    expect(server.latest.address).toBe('wss://room.example/ws/p1?epoch=3');
  });

  test('gets the text and is saved', async () => {
    server.text.insert(0, 'hello');
    const prompt = open();
    expect(saved(prompt)).toBe('connecting…');
    await join(prompt);
    expect(prompt.text.toString()).toBe('hello');
    expect(saved(prompt)).toBe('saved');
  });

  test('an update with a gap makes it ask for a sync, once', async () => {
    const prompt = open();
    await join(prompt);
    const other = new Y.Doc();
    const updates: Uint8Array[] = [];
    other.on('update', (update: Uint8Array) => updates.push(update));
    for (const letter of 'abc') other.getText('content').insert(0, letter);
    const before = server.latest.sent.length;
    for (const update of updates.slice(1)) server.sendRaw(encode({ kind: 'update', update }));
    server.run();
    const stateVector = Y.encodeStateVector(prompt.doc);
    expect(server.latest.sent.slice(before)).toEqual([encode({ kind: 'sync-step-1', stateVector })]);
    Y.applyUpdate(server.doc, Y.encodeStateAsUpdate(other));
    server.run();
    expect(prompt.text.toString()).toBe('cba');
  });
});

describe('editing', () => {
  test('is saving until the acknowledgement, then saved', async () => {
    const prompt = open();
    await join(prompt);
    server.acknowledges = false;
    prompt.text.insert(0, 'x');
    expect(saved(prompt)).toBe('saving…');
    server.run();
    expect(server.text.toString()).toBe('x');
    expect(saved(prompt)).toBe('saving…');
    server.acknowledge(2);
    server.run();
    expect(saved(prompt)).toBe('saved');
  });

  test('whoever waits until all is saved waits for the acknowledgement', async () => {
    const prompt = open();
    await join(prompt);
    await prompt.allSaved();
    server.acknowledges = false;
    prompt.text.insert(0, 'x');
    const heard = vi.fn();
    const waiting = prompt.allSaved().then(heard);
    server.run();
    await vi.advanceTimersByTimeAsync(0);
    expect(heard).not.toHaveBeenCalled();
    server.acknowledge(2);
    server.run();
    await waiting;
    prompt.text.insert(0, 'y');
    const inVain = prompt.allSaved();
    server.drop();
    await expect(inVain).rejects.toThrow('cannot be reached');
  });

  test('nothing is sent before the server has asked for what we have', async () => {
    const prompt = open();
    await opensSockets(1);
    server.latest.onopen?.();
    prompt.text.insert(0, 'x');
    const sent = server.latest.sent.map((frame) => [...frame.subarray(0, 2)]);
    expect(sent.filter(([type, step]) => type === 0 && step !== 0)).toEqual([]);
    server.accept();
    server.run();
    expect(server.text.toString()).toBe('x');
    expect(saved(prompt)).toBe('saved');
  });

  test('answers a step 1 at any time', async () => {
    const prompt = open();
    await join(prompt);
    prompt.text.insert(0, 'x');
    server.askForSync();
    server.run();
    expect(saved(prompt)).toBe('saved');
  });

  test('while the store is away: not saved, kept here', async () => {
    const prompt = open();
    await join(prompt);
    server.acknowledges = false;
    server.event({ type: 'store.unavailable' });
    prompt.text.insert(0, 'x');
    server.run();
    expect(saved(prompt)).toBe('not saved, kept here');
    server.event({ type: 'store.available' });
    server.acknowledge(2);
    server.run();
    expect(saved(prompt)).toBe('saved');
  });

  test('an acknowledgement of what was never sent ends the connection, not the edits', async () => {
    vi.spyOn(console, 'error').mockImplementation(() => undefined);
    const prompt = open();
    await join(prompt);
    prompt.text.insert(0, 'x');
    server.acknowledge(99);
    server.acknowledges = false;
    server.run();
    expect(saved(prompt)).toBe('offline: 1 edit kept here');
  });

  test('a viewer reads only, and hears of a new role', async () => {
    const prompt = open();
    await join(prompt, { role: 'viewer' });
    expect(saved(prompt)).toBe('read only');
    expect(prompt.snapshot.writable).toBe(false);
    server.event({ type: 'role.changed', role: 'editor' });
    server.run();
    expect(saved(prompt)).toBe('saved');
    expect(prompt.snapshot.writable).toBe(true);
  });

  test('more than a frame holds is sent edit by edit', async () => {
    const prompt = open();
    await join(prompt);
    server.drop();
    const megabyte = 'x'.repeat(1_000_000);
    for (let index = 0; index < 6; index += 1) prompt.text.insert(0, megabyte);
    await vi.advanceTimersByTimeAsync(400);
    await join(prompt);
    expect(server.text.length).toBe(6_000_000);
    expect(Math.max(...server.latest.sent.map((frame) => frame.length))).toBeLessThan(1_100_000);
    expect(saved(prompt)).toBe('saved');
  });
});

describe('coming back', () => {
  test('edits made offline are kept, counted, and sent', async () => {
    const prompt = open();
    await join(prompt);
    server.drop();
    expect(saved(prompt)).toBe('offline, all edits saved');
    prompt.text.insert(0, 'a');
    prompt.text.insert(1, 'b');
    expect(saved(prompt)).toBe('offline: 2 edits kept here');
    server.text.insert(0, 'remote ');
    await vi.advanceTimersByTimeAsync(400);
    await join(prompt);
    expect(server.text.toString()).toBe(prompt.text.toString());
    expect(prompt.text.toString()).toContain('ab');
    expect(saved(prompt)).toBe('saved');
  });

  test('an edit whose acknowledgement was lost is neither lost nor doubled', async () => {
    const prompt = open();
    await join(prompt);
    server.acknowledges = false;
    prompt.text.insert(0, 'x');
    server.run();
    server.drop();
    expect(prompt.unsavedEdits).toBe(1);
    server.acknowledges = true;
    await vi.advanceTimersByTimeAsync(400);
    await join(prompt);
    expect(server.text.toString()).toBe('x');
    expect(saved(prompt)).toBe('saved');
  });

  test('waits as long as a restarting server asks', async () => {
    const prompt = open();
    await join(prompt);
    server.drop(1012, 'restarting; retry in 3000 ms');
    await vi.advanceTimersByTimeAsync(2999);
    expect(server.sockets).toHaveLength(1);
    await vi.advanceTimersByTimeAsync(1);
    expect(server.sockets).toHaveLength(2);
    expect(prompt.snapshot.finalClosing).toBeNull();
  });

  test('backs off further while connections end at once, and starts over after a stable one', async () => {
    const prompt = open();
    await join(prompt);
    server.drop();
    await vi.advanceTimersByTimeAsync(400);
    await join(prompt);
    server.drop();
    await vi.advanceTimersByTimeAsync(799);
    expect(server.sockets).toHaveLength(2);
    await vi.advanceTimersByTimeAsync(1);
    await join(prompt);
    await vi.advanceTimersByTimeAsync(10_000);
    server.drop();
    await vi.advanceTimersByTimeAsync(400);
    expect(server.sockets).toHaveLength(4);
  });

  test('hangs up on silence', async () => {
    const prompt = open();
    await join(prompt);
    await vi.advanceTimersByTimeAsync(40_000);
    expect(server.sockets[0]?.closedByClient).toBe(true);
    expect(prompt.snapshot.saved.kind).toBe('offline');
    expect(server.sockets.length).toBeGreaterThan(1);
  });

  test('retries at once when asked', async () => {
    const prompt = open();
    await join(prompt);
    server.drop();
    prompt.retryNow();
    await vi.advanceTimersByTimeAsync(0);
    expect(server.sockets).toHaveLength(2);
  });

  test.each([4400, 4403, 4404, 4409, 4413])('%i is final and keeps the edits', async (code) => {
    const prompt = open();
    await join(prompt);
    server.acknowledges = false;
    prompt.text.insert(0, 'x');
    server.drop(code, 'why');
    await vi.advanceTimersByTimeAsync(120_000);
    expect(server.sockets).toHaveLength(1);
    expect(prompt.snapshot.finalClosing).toEqual({ code, reason: 'why' });
    expect(saved(prompt)).toBe('not saved, kept here');
  });
});

describe('tokens', () => {
  test('4401 is answered with a fresh token, once', async () => {
    const asked: boolean[] = [];
    const prompt = open(async ({ fresh }) => {
      asked.push(fresh);
      return fresh ? 'token-2' : 'token-1';
    });
    await join(prompt);
    server.drop(4401, 'token_expired');
    await vi.advanceTimersByTimeAsync(0);
    expect(server.latest.protocols).toContain('bearer.token-2');
    server.drop(4401, 'token_expired');
    await vi.advanceTimersByTimeAsync(60_000);
    expect(asked).toEqual([false, true]);
    expect(prompt.snapshot.finalClosing?.code).toBe(4401);
  });

  test('a sign-in that is gone is final; a failing network is not', async () => {
    let failure: Error = new TypeError('network');
    const prompt = open(() => Promise.reject(failure));
    await vi.advanceTimersByTimeAsync(0);
    expect(prompt.snapshot.finalClosing).toBeNull();
    failure = new SignedOut('signed out');
    await vi.advanceTimersByTimeAsync(400);
    expect(prompt.snapshot.finalClosing?.code).toBe(4401);
  });

  test('renews the token of the open connection', async () => {
    const prompt = open();
    await join(prompt);
    prompt.renewToken('token-9');
    server.run();
    expect(server.tokens).toEqual(['token-9']);
    expect(prompt.unsavedEdits).toBe(0);
  });
});

describe('presence', () => {
  test('remote edits and remote presence cause no message of ours', async () => {
    const prompt = open();
    await join(prompt);
    const before = server.awarenessReceived;
    server.text.insert(0, 'typed by others');
    server.awareness.setLocalState({ selection: 1 });
    server.run();
    expect(server.awarenessReceived).toBe(before);
  });

  test('comes back with a higher clock, and sees others with an unchanged one', async () => {
    const prompt = open();
    server.awareness.setLocalState({ user: { name: 'Grace' } });
    await join(prompt);
    const ours = prompt.awareness.clientID;
    const clock = server.awareness.meta.get(ours)?.clock ?? Number.NaN;
    expect(prompt.awareness.getStates().has(server.awareness.clientID)).toBe(true);
    server.drop();
    expect([...prompt.awareness.getStates().keys()]).toEqual([ours]);
    await vi.advanceTimersByTimeAsync(400);
    await join(prompt);
    expect(server.awareness.meta.get(ours)?.clock).toBeGreaterThan(clock);
    expect(prompt.awareness.getStates().has(server.awareness.clientID)).toBe(true);
  });

  test('takes over who the server says we are, once', async () => {
    const prompt = open();
    await join(prompt);
    const ours = prompt.awareness.clientID;
    const before = server.awarenessReceived;
    for (let times = 0; times < 3; times += 1) {
      server.sendRaw(stamped(ours, { user: { id: 'u1', name: 'Ada', color: '#112233' } }));
      server.run();
    }
    expect(prompt.awareness.getLocalState()?.['user']).toEqual({ id: 'u1', name: 'Ada', color: '#112233' });
    expect(server.awarenessReceived).toBe(before + 1);
  });

  test('announces itself again when the role changes, so that others see the new one', async () => {
    const prompt = open();
    await join(prompt);
    const before = server.awarenessReceived;
    server.event({ type: 'role.changed', role: 'viewer' });
    server.run();
    expect(server.awarenessReceived).toBe(before + 1);
    expect(prompt.snapshot.role).toBe('viewer');
  });

  test('declared gone, it announces itself again', async () => {
    const prompt = open();
    await join(prompt);
    const { removeAwarenessStates } = await import('y-protocols/awareness');
    removeAwarenessStates(server.awareness, [prompt.awareness.clientID], 'expired');
    server.run();
    expect(server.awareness.getStates().has(prompt.awareness.clientID)).toBe(true);
  });
});

describe('reloading with edits that were not acknowledged', () => {
  test('keeps them, and forgets them when they are committed', async () => {
    const prompt = open();
    await join(prompt);
    server.drop();
    prompt.text.insert(0, 'x');
    expect(stash.kept).toHaveLength(1);
    await vi.advanceTimersByTimeAsync(400);
    await join(prompt);
    expect(stash.kept).toHaveLength(0);
  });

  test('brings back what an earlier page left', async () => {
    const earlier = new Y.Doc();
    earlier.getText('content').insert(0, 'left behind');
    stash.left = [Y.encodeStateAsUpdate(earlier)];
    const prompt = open();
    await join(prompt);
    expect(server.text.toString()).toBe('left behind');
    expect(saved(prompt)).toBe('saved');
    expect(stash.forgotten).toBeGreaterThan(0);
  });

  test('a viewer leaves them where they are', async () => {
    const earlier = new Y.Doc();
    earlier.getText('content').insert(0, 'left behind');
    stash.left = [Y.encodeStateAsUpdate(earlier)];
    const prompt = open();
    await join(prompt, { role: 'viewer' });
    expect(prompt.text.toString()).toBe('');
    expect(stash.forgotten).toBe(0);
  });
});
