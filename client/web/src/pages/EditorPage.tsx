/** One prompt, open for editing with everybody who is there. */
import { useEffect, useState } from 'react';
import { useAccount, useAccountState } from '../account/AccountContext';
import { identityOf } from '../account/account';
import { ApiError, explain } from '../api/http';
import { getPrompt, type Prompt } from '../api/prompts';
import { Waiting } from '../parts/Waiting';
import { Link } from '../routing';
import { PageHeader } from './PageHeader';
import { RoomView } from './RoomView';
import { useLivePrompt } from './useLive';

type Loaded = { readonly prompt: Prompt } | { readonly problem: string; readonly isMissing: boolean };

export function EditorPage({ promptId }: { readonly promptId: string }) {
  const { client } = useAccount();
  const [loaded, setLoaded] = useState<Loaded | null>(null);
  const [attempt, setAttempt] = useState(0);

  // biome-ignore lint/correctness/useExhaustiveDependencies: `attempt` is counted up to load again.
  useEffect(() => {
    let isCurrent = true;
    getPrompt(client, promptId)
      .then(({ data }) => isCurrent && setLoaded({ prompt: data }))
      .catch((error: unknown) => {
        // An id that is no id at all is refused as malformed: for the reader it is the same.
        const isMissing = error instanceof ApiError && (error.status === 404 || error.status === 422);
        if (isCurrent) setLoaded({ problem: explain(error), isMissing });
      });
    return () => {
      isCurrent = false;
    };
  }, [client, promptId, attempt]);

  if (!loaded) return <Waiting label="Opening the prompt…" />;
  if ('prompt' in loaded) return <LiveRoom prompt={loaded.prompt} />;
  if (loaded.isMissing) return <NoSuchPrompt />;
  const tryAgain = (): void => {
    setLoaded(null);
    setAttempt((count) => count + 1);
  };
  return <Waiting label="" problem={loaded.problem} onRetry={tryAgain} />;
}

function LiveRoom({ prompt }: { readonly prompt: Prompt }) {
  const identity = identityOf(useAccountState());
  const live = useLivePrompt(prompt, identity?.user.id ?? '');
  return live ? <RoomView live={live} promptId={prompt.id} /> : <Waiting label="Opening the prompt…" />;
}

function NoSuchPrompt() {
  useEffect(() => {
    document.title = 'No such prompt · Promptroom';
  }, []);
  return (
    <>
      <PageHeader />
      <main className="waiting">
        <p>This prompt does not exist, was deleted, or belongs to another organization.</p>
        <Link href="/" className="push-button">
          All prompts
        </Link>
      </main>
    </>
  );
}
