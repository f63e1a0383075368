/** Makes somebody a member and shows the link they sign in with: once, because it works once. */
import { type FormEvent, useId, useRef, useState } from 'react';
import { useAccount } from '../account/AccountContext';
import { explain } from '../api/http';
import { type Invitation, inviteMember } from '../api/members';
import { MAX_NAME_LENGTH } from '../api/prompts';
import type { Role } from '../wire/roomEvent';
import { copyText } from './copyText';
import { Dialog } from './Dialog';

export interface InviteDialogProps {
  /** The path that the invited person comes to. */
  readonly next: string;
  readonly onClose: () => void;
}

const ROLES: readonly { readonly role: Role; readonly about: string }[] = [
  { role: 'editor', about: 'Editor: may change prompts' },
  { role: 'viewer', about: 'Viewer: may read and watch' },
  { role: 'owner', about: 'Owner: may also invite and remove people' },
];

export function InviteDialog({ next, onClose }: InviteDialogProps) {
  const { client } = useAccount();
  const [problem, setProblem] = useState('');
  const [isBusy, setBusy] = useState(false);
  const [invited, setInvited] = useState<{ readonly name: string; readonly invitation: Invitation } | null>(null);

  const invite = async (form: FormData): Promise<void> => {
    const name = String(form.get('name')).trim();
    const invitation = await inviteMember(client, name, form.get('role') as Role);
    if (invitation) setInvited({ name, invitation });
    else onClose();
  };

  const submit = (event: FormEvent<HTMLFormElement>): void => {
    event.preventDefault();
    setBusy(true);
    setProblem('');
    invite(new FormData(event.currentTarget))
      .catch((error: unknown) => setProblem(explain(error)))
      .finally(() => setBusy(false));
  };

  if (invited) {
    return (
      <Dialog key="link" title={`Link for ${invited.name}`} onClose={onClose}>
        <InvitationLink invitation={invited.invitation} next={next} onClose={onClose} />
      </Dialog>
    );
  }
  return (
    <Dialog title="Invite somebody" onClose={onClose}>
      <form onSubmit={submit}>
        <label className="field">
          <span>Name</span>
          <input className="text-input" name="name" maxLength={MAX_NAME_LENGTH} placeholder="Grace Hopper" required />
        </label>
        <label className="field">
          <span>Role</span>
          <select className="text-input" name="role" defaultValue="editor">
            {ROLES.map(({ role, about }) => (
              <option key={role} value={role}>
                {about}
              </option>
            ))}
          </select>
        </label>
        {problem && (
          <p className="problem" role="alert">
            {problem}
          </p>
        )}
        <div className="dialog-actions">
          <button type="button" className="push-button" onClick={onClose}>
            Cancel
          </button>
          <button type="submit" className="push-button is-primary" disabled={isBusy}>
            Create link
          </button>
        </div>
      </form>
    </Dialog>
  );
}

interface InvitationLinkProps {
  readonly invitation: Invitation;
  readonly next: string;
  readonly onClose: () => void;
}

function InvitationLink({ invitation, next, onClose }: InvitationLinkProps) {
  const input = useRef<HTMLInputElement>(null);
  const hintId = useId();
  const [isCopied, setCopied] = useState(false);
  const url = next === '/' ? invitation.url : `${invitation.url}&next=${encodeURIComponent(next)}`;

  const copy = (): void => {
    if (!input.current) return;
    copyText(url, input.current)
      .then(() => setCopied(true))
      .catch(() => input.current?.select());
  };

  return (
    <form onSubmit={(event) => event.preventDefault()}>
      <label className="field">
        <span>Sign-in link</span>
        <input
          ref={input}
          className="text-input"
          data-testid="invitation-link"
          readOnly
          value={url}
          aria-describedby={hintId}
          onFocus={(event) => event.target.select()}
        />
      </label>
      <p id={hintId}>
        It works once, until {new Date(invitation.expires_at).toLocaleDateString('en', { dateStyle: 'long' })}. Whoever
        opens it is signed in, so hand it over as you would a key.
      </p>
      <div className="dialog-actions">
        <button type="button" className="push-button" onClick={onClose}>
          Done
        </button>
        <button type="button" className="push-button is-primary" onClick={copy}>
          {isCopied ? 'Copied' : 'Copy link'}
        </button>
      </div>
      <span className="visually-hidden" role="status">
        {isCopied ? 'The link is copied.' : ''}
      </span>
    </form>
  );
}
