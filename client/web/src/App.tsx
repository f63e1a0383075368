/** Which page is shown, and to whom. */
import { lazy, Suspense, useEffect, useState } from 'react';
import { useAccount, useAccountState } from './account/AccountContext';
import { explain } from './api/http';
import { PromptsPage } from './pages/PromptsPage';
import { SignInPage } from './pages/SignInPage';
import { ErrorBoundary } from './parts/ErrorBoundary';
import { Notices } from './parts/notices';
import { Waiting } from './parts/Waiting';
import { navigate, promptIdOf, usePath } from './routing';

/** Loaded when a prompt is opened: Yjs and Monaco are no part of the other pages. */
const EditorPage = lazy(() => import('./pages/EditorPage').then((module) => ({ default: module.EditorPage })));

export function App() {
  return (
    <ErrorBoundary>
      <Suspense fallback={<Waiting label="Loading the editor…" />}>
        <Page />
      </Suspense>
      <Notices />
    </ErrorBoundary>
  );
}

function Page() {
  const path = usePath();
  if (path === '/signin') return <SignInPage />;
  return <SignedInPage path={path} />;
}

function SignedInPage({ path }: { readonly path: string }) {
  const { account } = useAccount();
  const state = useAccountState();
  const { status } = state;
  const [problem, setProblem] = useState('');
  const [attempt, setAttempt] = useState(0);
  const promptId = promptIdOf(path);

  // biome-ignore lint/correctness/useExhaustiveDependencies: `attempt` is what the button counts up to try again.
  useEffect(() => {
    if (account.state.status === 'unknown') account.resume().catch((error: unknown) => setProblem(explain(error)));
  }, [account, attempt]);

  // Whoever is signed out while a prompt is open stays: their edits are in that page, which says what to do.
  const mayStay = status !== 'signed-out' || (promptId !== null && state.last !== null);
  useEffect(() => {
    if (!mayStay) navigate(`/signin?next=${encodeURIComponent(path)}`, { replace: true });
  }, [mayStay, path]);

  if (status === 'unknown') {
    const tryAgain = (): void => {
      setProblem('');
      setAttempt((count) => count + 1);
    };
    return <Waiting label="Opening Promptroom…" problem={problem} onRetry={tryAgain} />;
  }
  if (!mayStay) return null;
  if (promptId) return <EditorPage key={promptId} promptId={promptId} />;
  return <PromptsPage />;
}
