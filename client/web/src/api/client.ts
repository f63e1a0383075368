/** Requests in the name of whoever is signed in. */
import type { Account } from '../account/account';
import { type Answer, ApiError, type Request, send } from './http';

export class Client {
  readonly #account: Account;

  constructor(account: Account) {
    this.#account = account;
  }

  /** Sends a request with an access token, once more with a fresh one if the first had run out. */
  async send<T>(request: Omit<Request, 'token'>): Promise<Answer<T>> {
    const token = await this.#account.token({ fresh: false });
    try {
      return await send<T>({ ...request, token });
    } catch (error) {
      if (!(error instanceof ApiError) || error.status !== 401) throw error;
    }
    return send<T>({ ...request, token: await this.#account.token({ fresh: true }) });
  }
}

/** A key that makes the repetition of a POST harmless; works without a secure context, too. */
export function newIdempotencyKey(): string {
  const bytes = crypto.getRandomValues(new Uint8Array(16));
  return Array.from(bytes, (byte) => byte.toString(16).padStart(2, '0')).join('');
}
