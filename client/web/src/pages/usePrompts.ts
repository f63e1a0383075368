/** The list of prompts: searched, page by page, and changed in place. */
import { useCallback, useEffect, useState } from 'react';
import { useAccount } from '../account/AccountContext';
import { explain } from '../api/http';
import { listPrompts, type Prompt } from '../api/prompts';

/** How long typing into the search has to rest. In milliseconds. */
const SEARCH_AFTER = 200;

export interface Prompts {
  readonly items: readonly Prompt[] | null;
  readonly hasMore: boolean;
  readonly problem: string;
  readonly loadMore: () => void;
  readonly reload: () => void;
  /** Changes what is shown, after the server has changed it. */
  readonly update: (change: (items: readonly Prompt[]) => readonly Prompt[]) => void;
}

export function usePrompts(search: string, { deleted }: { readonly deleted: boolean }): Prompts {
  const { client } = useAccount();
  const [items, setItems] = useState<readonly Prompt[] | null>(null);
  const [cursor, setCursor] = useState<string | null>(null);
  const [problem, setProblem] = useState('');
  const [attempt, setAttempt] = useState(0);

  // biome-ignore lint/correctness/useExhaustiveDependencies: `attempt` is counted up to load again.
  useEffect(() => {
    let isCurrent = true;
    const load = async (): Promise<void> => {
      try {
        const page = await listPrompts(client, { search, deleted });
        if (!isCurrent) return;
        setItems(page.items);
        setCursor(page.next_cursor);
        setProblem('');
      } catch (error) {
        if (isCurrent) setProblem(explain(error));
      }
    };
    const timer = setTimeout(() => void load(), search ? SEARCH_AFTER : 0);
    return () => {
      isCurrent = false;
      clearTimeout(timer);
    };
  }, [client, search, deleted, attempt]);

  const loadMore = useCallback(() => {
    listPrompts(client, { search, deleted, cursor })
      .then((page) => {
        setItems((known) => [...(known ?? []), ...page.items]);
        setCursor(page.next_cursor);
      })
      .catch((error: unknown) => setProblem(explain(error)));
  }, [client, search, deleted, cursor]);

  const reload = useCallback(() => setAttempt((count) => count + 1), []);
  const update = useCallback((change: (items: readonly Prompt[]) => readonly Prompt[]) => {
    setItems((known) => (known ? change(known) : known));
  }, []);

  return { items, hasMore: cursor !== null, problem, loadMore, reload, update };
}
