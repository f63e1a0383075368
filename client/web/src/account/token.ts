/** Where access tokens come from, as those see it who need one. */

/** Answers an access token; `fresh`: the last one was refused. Raises `SignedOut` when there is none to be had. */
export type TokenSource = (options: { readonly fresh: boolean }) => Promise<string>;

/** There is no token and no way to get one without the user. */
export class SignedOut extends Error {
  override readonly name = 'SignedOut';
}
