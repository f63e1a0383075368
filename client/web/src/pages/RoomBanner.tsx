/** One sentence across the page when something stands in the way, and what to do about it. */
import { useRef } from 'react';
import type { FinalClosing } from '../live/connection';
import type { LivePrompt, LiveSnapshot } from '../live/livePrompt';
import { count } from '../live/savedState';
import { copyText } from '../parts/copyText';
import { notify } from '../parts/notices';
import { Link, navigate } from '../routing';

interface Message {
  readonly text: string;
  readonly kind: 'warning' | 'problem';
  readonly actions: readonly ('sign-in' | 'retry' | 'leave' | 'copy' | 'reload')[];
}

export function RoomBanner({ live, snapshot }: { readonly live: LivePrompt; readonly snapshot: LiveSnapshot }) {
  const clipboard = useRef<HTMLTextAreaElement>(null);
  const message = messageFor(snapshot);
  if (!message) return null;

  const copy = (): void => {
    if (!clipboard.current) return;
    const text = live.text.toString();
    clipboard.current.value = text;
    copyText(text, clipboard.current)
      .then(() => notify({ text: 'The text is copied.' }))
      .catch(() =>
        notify({ text: 'The browser did not copy. Select the text in the editor and copy it.', kind: 'problem' }),
      );
  };
  const reload = (): void => {
    void live.abandonEdits().then(() => location.reload());
  };

  return (
    <div className={`banner is-${message.kind}`} role="alert" data-testid="banner">
      <p>{message.text}</p>
      <div className="banner-actions">
        {message.actions.includes('sign-in') && (
          <Link className="push-button" href={`/signin?next=${encodeURIComponent(location.pathname)}`}>
            Sign in
          </Link>
        )}
        {message.actions.includes('copy') && (
          <button type="button" className="push-button" onClick={copy}>
            Copy my text
          </button>
        )}
        {message.actions.includes('retry') && (
          <button type="button" className="push-button" onClick={() => live.retryNow()}>
            Try again
          </button>
        )}
        {message.actions.includes('leave') && (
          <button type="button" className="push-button" onClick={() => navigate('/')}>
            All prompts
          </button>
        )}
        {message.actions.includes('reload') && (
          <button type="button" className="push-button" onClick={reload}>
            Reload
          </button>
        )}
      </div>
      <textarea ref={clipboard} className="visually-hidden" readOnly tabIndex={-1} aria-hidden="true" />
    </div>
  );
}

function messageFor(snapshot: LiveSnapshot): Message | null {
  const { saved, finalClosing, storeAvailable, absence, writable } = snapshot;
  if (finalClosing) return finalMessage(finalClosing, saved.edits);
  if (saved.kind === 'offline' || saved.kind === 'connecting') {
    if (absence !== 'overloaded') return null;
    return {
      text: 'The server is busy or cannot store anything now. It is tried again by itself.',
      kind: 'warning',
      actions: [],
    };
  }
  if (!storeAvailable) {
    return {
      text: 'The server cannot reach its database. What you write is kept in this page and stored when it can.',
      kind: 'warning',
      actions: [],
    };
  }
  if (!writable && saved.edits > 0) {
    return {
      text: `You may only read this prompt now. ${count(saved.edits)} could not be saved: copy your text before you reload.`,
      kind: 'problem',
      actions: ['copy', 'reload'],
    };
  }
  return null;
}

function finalMessage({ code, reason }: FinalClosing, edits: number): Message {
  const kept = edits > 0 ? ` ${count(edits)} kept here.` : '';
  switch (code) {
    case 4401:
      return {
        text: `You are signed out.${edits > 0 ? ` ${count(edits)} kept in this browser: sign in again to save.` : ''}`,
        kind: 'warning',
        actions: ['sign-in', 'retry'],
      };
    case 4403:
      return {
        text: `You no longer have access to this prompt.${kept}`,
        kind: 'problem',
        actions: actionsFor(edits, 'leave'),
      };
    case 4404:
      return {
        text: `This prompt was deleted, or is not in your organization.${kept}`,
        kind: 'problem',
        actions: [...actionsFor(edits, 'retry'), 'leave'],
      };
    case 4409:
      return {
        text: reason.startsWith('client_id_conflict')
          ? `Somebody else's edits came under this tab's name. Reload to go on.${kept}`
          : `This prompt was replaced on the server. Reload to see it.${kept}`,
        kind: 'problem',
        actions: actionsFor(edits, 'reload'),
      };
    case 4413:
      return {
        text: `That is more than the server takes in one prompt.${kept}`,
        kind: 'problem',
        actions: actionsFor(edits, 'reload'),
      };
    default:
      return {
        text: `The server refused what this tab sent (${code}).${kept}`,
        kind: 'problem',
        actions: actionsFor(edits, 'reload'),
      };
  }
}

/** Whoever has unsaved edits is offered their text before anything that would lose them. */
function actionsFor(edits: number, action: Message['actions'][number]): Message['actions'] {
  return edits > 0 ? ['copy', action] : [action];
}
