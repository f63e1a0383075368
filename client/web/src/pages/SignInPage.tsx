/**
 * Signing in: by the one-use ticket behind `#` of a sign-in link, or with an e-mail address and a password.
 *
 * The ticket is taken out of the address before it is used, so that it stays neither in the history nor on a screen.
 */
import { type FormEvent, useEffect, useState } from 'react';
import { useAccount } from '../account/AccountContext';
import { explain } from '../api/http';
import { Brand } from '../parts/Brand';
import { ThemeSwitch } from '../parts/ThemeSwitch';
import { Waiting } from '../parts/Waiting';
import { navigate, safeNext } from '../routing';
import './signIn.css';

interface Link {
  readonly ticket: string | null;
  readonly next: string;
}

/** Reads the ticket and takes it out of the address; kept here because a component may be mounted twice. */
function takeLink(): Link {
  const fragment = new URLSearchParams(location.hash.slice(1));
  const next = safeNext(fragment.get('next') ?? new URLSearchParams(location.search).get('next'));
  const ticket = fragment.get('ticket');
  if (ticket) history.replaceState(null, '', location.pathname + location.search);
  return { ticket, next };
}

export function SignInPage() {
  const { account } = useAccount();
  const [link, setLink] = useState<Link | null>(null);
  const [problem, setProblem] = useState('');
  const [isBusy, setBusy] = useState(false);

  useEffect(() => {
    const open = (): void => setLink((known) => (location.hash || !known ? takeLink() : known));
    open();
    addEventListener('hashchange', open);
    return () => removeEventListener('hashchange', open);
  }, []);

  useEffect(() => {
    if (!link?.ticket) return;
    redeem(link.ticket, (ticket) => account.signInWithTicket(ticket))
      .then(() => navigate(link.next, { replace: true }))
      .catch((error: unknown) => {
        setProblem(explain(error));
        setLink({ ...link, ticket: null });
      });
  }, [account, link]);

  const submit = (event: FormEvent<HTMLFormElement>): void => {
    event.preventDefault();
    const form = new FormData(event.currentTarget);
    setBusy(true);
    setProblem('');
    account
      .signInWithPassword(String(form.get('email')), String(form.get('password')))
      .then(() => navigate(link?.next ?? '/', { replace: true }))
      .catch((error: unknown) => {
        setProblem(explain(error));
        setBusy(false);
      });
  };

  if (!link || link.ticket) return <Waiting label="Signing you in…" />;
  return (
    <main className="sign-in">
      <div className="sign-in-card">
        <Brand />
        <h1>Sign in</h1>
        {problem && (
          <p className="problem" role="alert">
            {problem}
          </p>
        )}
        <form onSubmit={submit}>
          <label className="field">
            <span>E-mail address</span>
            <input className="text-input" name="email" type="email" autoComplete="username" required />
          </label>
          <label className="field">
            <span>Password</span>
            <input className="text-input" name="password" type="password" autoComplete="current-password" required />
          </label>
          <button type="submit" className="push-button is-primary" disabled={isBusy}>
            {isBusy ? 'Signing in…' : 'Sign in'}
          </button>
        </form>
        <p className="sign-in-hint">
          No password? Ask an owner for a sign-in link. Whoever runs the server gets one from <code>make serve</code> or{' '}
          <code>promptroom link</code>.
        </p>
      </div>
      <ThemeSwitch />
    </main>
  );
}

const redeemed = new Map<string, Promise<void>>();

/** A ticket works once, so it is sent once, however often the component is mounted. */
function redeem(ticket: string, signIn: (ticket: string) => Promise<void>): Promise<void> {
  const known = redeemed.get(ticket);
  if (known !== undefined) return known;
  const redeeming = signIn(ticket);
  redeemed.set(ticket, redeeming);
  return redeeming;
}
