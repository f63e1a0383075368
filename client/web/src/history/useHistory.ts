/** The versions and labels of a prompt for components: loaded when wanted, and kept up to date by the room. */
import { useCallback, useEffect, useState } from 'react';
import { useAccount } from '../account/AccountContext';
import type { Client } from '../api/client';
import { listLabels, listVersions } from '../api/history';
import { explain } from '../api/http';
import type { LivePrompt } from '../live/livePrompt';
import type { RoomEvent } from '../wire/roomEvent';
import { type HistoryState, NOTHING_KNOWN, withNewest, withOlder, withVersion } from './historyState';

type Change = (known: HistoryState) => HistoryState;

export interface History {
  readonly state: HistoryState;
  readonly problem: string;
  readonly isLoadingOlder: boolean;
  readonly loadOlder: () => void;
  readonly reload: () => void;
}

/** The history of a prompt; nothing is asked for until somebody wants to see it. */
export function useHistory(live: LivePrompt, promptId: string, isWanted: boolean): History {
  const { client } = useAccount();
  const [state, setState] = useState(NOTHING_KNOWN);
  const [problem, setProblem] = useState('');
  const [isLoadingOlder, setLoadingOlder] = useState(false);
  const [attempt, setAttempt] = useState(0);

  // biome-ignore lint/correctness/useExhaustiveDependencies: `attempt` is counted up to load again.
  useEffect(() => {
    if (!isWanted) return;
    setProblem('');
    const following = new Following(client, promptId, setState, (error) => setProblem(explain(error)));
    const stop = live.roomEvent.subscribe((event) => following.take(event));
    following.load();
    return () => {
      stop();
      following.end();
    };
  }, [client, live, promptId, isWanted, attempt]);

  const loadOlder = useCallback(() => {
    setLoadingOlder(true);
    listVersions(client, promptId, state.cursor)
      .then((page) => setState((known) => withOlder(known, page)))
      .catch((error: unknown) => setProblem(explain(error)))
      .finally(() => setLoadingOlder(false));
  }, [client, promptId, state.cursor]);

  const reload = useCallback(() => setAttempt((count) => count + 1), []);

  return { state, problem, isLoadingOlder, loadOlder, reload };
}

/** Follows what happens in the room from the moment before the first page is asked for. */
class Following {
  #hasEnded = false;
  /** How often labels were asked for: an answer to an older question is out of date. */
  #asked = 0;

  constructor(
    readonly client: Client,
    readonly promptId: string,
    readonly change: (change: Change) => void,
    readonly fail: (error: unknown) => void,
  ) {}

  load(): void {
    this.#settle(
      listVersions(this.client, this.promptId, null).then((page) => (known: HistoryState) => withNewest(known, page)),
    );
    this.#loadLabels();
  }

  take(event: RoomEvent): void {
    if (event.type === 'version.created') this.change((known) => withVersion(known, event.version));
    else if (event.type === 'label.moved') this.#loadLabels();
    // Whoever was away has missed events.
    else if (event.type === 'room.joined') this.load();
  }

  end(): void {
    this.#hasEnded = true;
  }

  #loadLabels(): void {
    this.#asked += 1;
    const number = this.#asked;
    this.#settle(
      listLabels(this.client, this.promptId).then((labels) => (known: HistoryState) => {
        return number === this.#asked ? { ...known, labels } : known;
      }),
    );
  }

  #settle(change: Promise<Change>): void {
    change.then(
      (made) => this.#hasEnded || this.change(made),
      (error: unknown) => this.#hasEnded || this.fail(error),
    );
  }
}
