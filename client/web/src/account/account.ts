/**
 * Who is signed in on this page, and their access token.
 *
 * The token lives in memory only; a cookie that scripts cannot read brings a new one after a reload and before the
 * old one runs out. Tabs share the cookie, each has its own token.
 *
 * States
 *   unknown     the page has just been opened; the cookie has not been tried.
 *   signed-out  there is no cookie, or it does not hold any more.
 *   signed-in   there is a token, and it is renewed in time.
 */
import { ApiError, type Request, send } from '../api/http';
import { Signal } from '../live/signal';
import type { Role } from '../wire/roomEvent';
import { SignedOut } from './token';

export interface Identity {
  readonly user: { readonly id: string; readonly name: string; readonly email: string | null };
  readonly organization: { readonly id: string; readonly name: string };
  readonly role: Role;
}

interface SignedIn extends Identity {
  readonly access_token: string;
  /** In seconds. */
  readonly expires_in: number;
}

export type AccountState =
  | { readonly status: 'unknown' }
  /** `last`: who was signed in on this page before. */
  | { readonly status: 'signed-out'; readonly last: Identity | null }
  | { readonly status: 'signed-in'; readonly identity: Identity };

/** Who is, or was, signed in on this page. */
export function identityOf(state: AccountState): Identity | null {
  if (state.status === 'signed-in') return state.identity;
  return state.status === 'signed-out' ? state.last : null;
}

/** How much of a token's life passes before it is renewed. */
const RENEW_AFTER = 0.75;
/** A renewal that failed for want of a network is tried again after this time. In milliseconds. */
const TRY_AGAIN_AFTER = 15_000;

export class Account {
  /** The state changed. */
  readonly changed = new Signal();
  /** There is a fresh token: open connections want it. */
  readonly renewed = new Signal<string>();

  #state: AccountState = { status: 'unknown' };
  #token = '';
  #renewal: Promise<string> | null = null;
  #timer: ReturnType<typeof setTimeout> | undefined;

  get state(): AccountState {
    return this.#state;
  }

  /** Tries the cookie of an earlier visit. */
  async resume(): Promise<void> {
    try {
      await this.token({ fresh: true });
    } catch (error) {
      if (!(error instanceof SignedOut)) throw error;
    }
  }

  async signInWithTicket(ticket: string): Promise<void> {
    await this.#signIn({ ticket });
  }

  async signInWithPassword(email: string, password: string): Promise<void> {
    await this.#signIn({ email, password });
  }

  async signOut(): Promise<void> {
    await send({ method: 'POST', path: '/auth/logout' });
    this.#becomeSignedOut();
  }

  /** Answers an access token; raises `SignedOut` when only the user can bring a new one. */
  async token({ fresh }: { readonly fresh: boolean }): Promise<string> {
    if (this.#token && !fresh) return this.#token;
    this.#renewal ??= this.#renew().finally(() => {
      this.#renewal = null;
    });
    return this.#renewal;
  }

  async #signIn(body: Request['body']): Promise<void> {
    const { data } = await send<SignedIn>({ method: 'POST', path: '/auth/login', body });
    this.#take(data);
  }

  async #renew(): Promise<string> {
    try {
      const { data } = await send<SignedIn>({ method: 'POST', path: '/auth/refresh' });
      this.#take(data);
      this.renewed.emit(data.access_token);
      return data.access_token;
    } catch (error) {
      if (!(error instanceof ApiError) || error.status !== 401) throw error;
      this.#becomeSignedOut();
      throw new SignedOut(error.message);
    }
  }

  #take({ access_token, expires_in, user, organization, role }: SignedIn): void {
    this.#token = access_token;
    this.#renewIn(expires_in * 1000 * RENEW_AFTER);
    this.#become({ status: 'signed-in', identity: { user, organization, role } });
  }

  #renewIn(delay: number): void {
    clearTimeout(this.#timer);
    this.#timer = setTimeout(() => {
      this.token({ fresh: true }).catch((error: unknown) => {
        if (!(error instanceof SignedOut)) this.#renewIn(TRY_AGAIN_AFTER);
      });
    }, delay);
  }

  #becomeSignedOut(): void {
    clearTimeout(this.#timer);
    this.#token = '';
    this.#become({ status: 'signed-out', last: identityOf(this.#state) });
  }

  #become(state: AccountState): void {
    this.#state = state;
    this.changed.emit();
  }
}
