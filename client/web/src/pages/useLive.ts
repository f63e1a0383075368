/** A live prompt for components: opened, watched, and taken down with the page that shows it. */
import { useEffect, useState, useSyncExternalStore } from 'react';
import { useAccount } from '../account/AccountContext';
import type { Prompt } from '../api/prompts';
import { LivePrompt, type LiveSnapshot } from '../live/livePrompt';
import { listPeople, type Person } from '../presence/people';

/** Opens the prompt for as long as the component is there. */
export function useLivePrompt(prompt: Prompt, userId: string): LivePrompt | null {
  const { account } = useAccount();
  const [live, setLive] = useState<LivePrompt | null>(null);

  useEffect(() => {
    const { id, epoch, name, role } = prompt;
    const opened = new LivePrompt({
      promptId: id,
      epoch,
      name,
      role,
      userId,
      token: (options) => account.token(options),
    });
    const stopRenewing = account.renewed.subscribe((token) => opened.renewToken(token));
    const stopWatching = watchPage(opened);
    opened.start();
    setLive(opened);
    return () => {
      stopWatching();
      stopRenewing();
      void opened.keepForReload();
      opened.destroy();
    };
  }, [account, prompt, userId]);

  return live;
}

export function useSnapshot(live: LivePrompt): LiveSnapshot {
  return useSyncExternalStore(
    (listener) => live.changed.subscribe(listener),
    () => live.snapshot,
  );
}

/** Who is here; the same array as long as nobody comes, goes or changes. */
export function usePeople(live: LivePrompt): readonly Person[] {
  const { userId } = live.snapshot;
  const [people, setPeople] = useState<readonly Person[]>([]);
  useEffect(() => {
    const read = (): void => {
      const next = listPeople(live.awareness.getStates(), userId);
      setPeople((known) => (JSON.stringify(known) === JSON.stringify(next) ? known : next));
    };
    read();
    live.awareness.on('change', read);
    return () => live.awareness.off('change', read);
  }, [live, userId]);
  return people;
}

/** Comes back when the network or the user does; warns before unsaved edits are left behind. */
function watchPage(live: LivePrompt): () => void {
  const page = new AbortController();
  const { signal } = page;
  addEventListener('online', () => live.retryIfWaiting(), { signal });
  document.addEventListener(
    'visibilitychange',
    () => {
      if (document.visibilityState === 'visible') live.retryIfWaiting();
      else void live.keepForReload();
    },
    { signal },
  );
  addEventListener('pagehide', () => void live.keepForReload(), { signal });
  addEventListener(
    'beforeunload',
    (event) => {
      if (live.unsavedEdits > 0) event.preventDefault();
    },
    { signal },
  );
  return () => page.abort();
}
