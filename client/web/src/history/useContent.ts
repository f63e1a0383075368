/** The texts of versions for components. */
import { useEffect, useState } from 'react';
import { useAccount } from '../account/AccountContext';
import { readContent } from '../api/history';
import { explain } from '../api/http';
import type { Side } from './comparison';

export interface Content {
  readonly text: string | null;
  readonly problem: string;
}

const NOT_YET: Content = { text: null, problem: '' };

/** The text of a side that is a version; nothing for the live one. */
export function useContent(promptId: string, side: Side): Content {
  const { client } = useAccount();
  const id = side.kind === 'version' ? side.id : null;
  const [loaded, setLoaded] = useState<{ readonly id: string; readonly content: Content } | null>(null);

  useEffect(() => {
    if (id === null) return;
    let isCurrent = true;
    const take = (content: Content): void => {
      if (isCurrent) setLoaded({ id, content });
    };
    readContent(client, promptId, id)
      .then((text) => take({ text, problem: '' }))
      .catch((error: unknown) => take({ text: null, problem: explain(error) }));
    return () => {
      isCurrent = false;
    };
  }, [client, promptId, id]);

  return loaded && loaded.id === id ? loaded.content : NOT_YET;
}
