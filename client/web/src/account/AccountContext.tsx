/** The account and its client, for every component below. */
import { createContext, type ReactNode, useContext, useMemo, useSyncExternalStore } from 'react';
import { Client } from '../api/client';
import type { Account, AccountState } from './account';

interface AccountContextValue {
  readonly account: Account;
  readonly client: Client;
}

const AccountContext = createContext<AccountContextValue | null>(null);

export function AccountProvider({ account, children }: { readonly account: Account; readonly children: ReactNode }) {
  const value = useMemo(() => ({ account, client: new Client(account) }), [account]);
  return <AccountContext value={value}>{children}</AccountContext>;
}

export function useAccount(): AccountContextValue {
  const value = useContext(AccountContext);
  if (!value) throw new Error('useAccount needs an AccountProvider above it');
  return value;
}

export function useAccountState(): AccountState {
  const { account } = useAccount();
  return useSyncExternalStore(
    (listener) => account.changed.subscribe(listener),
    () => account.state,
  );
}
