/** The head of every page but the editor's: where one is, as whom, and in which theme. */
import { useAccount, useAccountState } from '../account/AccountContext';
import { explain } from '../api/http';
import { Brand } from '../parts/Brand';
import { notify } from '../parts/notices';
import { ThemeSwitch } from '../parts/ThemeSwitch';
import './pageHeader.css';

export function PageHeader() {
  const { account } = useAccount();
  const state = useAccountState();
  const signOut = (): void => {
    account.signOut().catch((error: unknown) => notify({ text: explain(error), kind: 'problem' }));
  };
  return (
    <header className="page-header">
      <Brand />
      <div className="page-header-end">
        {state.status === 'signed-in' && (
          <span className="page-header-who">
            <strong>{state.identity.user.name}</strong>
            <span>
              {state.identity.organization.name} · {state.identity.role}
            </span>
          </span>
        )}
        <ThemeSwitch />
        <button type="button" className="push-button" onClick={signOut}>
          Sign out
        </button>
      </div>
    </header>
  );
}
