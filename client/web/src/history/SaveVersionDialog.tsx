import { type KeyboardEvent, type SubmitEvent, useState } from 'react';
import { saveVersion } from '../api/history';
import { explain } from '../api/http';
import { Dialog } from '../parts/Dialog';
import { notify } from '../parts/notices';
import { shortId, titleOf } from './historyState';
import type { Place } from './restore';

/** The longest message that the server takes, in characters. */
const MAX_MESSAGE_LENGTH = 10_000;

export interface SaveVersionDialogProps {
  readonly place: Place;
  readonly onClose: () => void;
}

export function SaveVersionDialog({ place, onClose }: SaveVersionDialogProps) {
  const [message, setMessage] = useState('');
  const [problem, setProblem] = useState('');
  const [isBusy, setBusy] = useState(false);
  const isReady = !isBusy && message.trim() !== '';

  const save = async (): Promise<void> => {
    const { client, promptId, live } = place;
    await live.allSaved();
    const { version, isNew } = await saveVersion(client, promptId, message.trim());
    const name = `${shortId(version.id)} “${titleOf(version)}”`;
    notify({ text: isNew ? `Saved as ${name}.` : `Nothing has changed since ${name}, so there is no new version.` });
    onClose();
  };

  const submit = (): void => {
    setBusy(true);
    save().catch((error: unknown) => {
      setProblem(explain(error));
      setBusy(false);
    });
  };

  const onSubmit = (event: SubmitEvent): void => {
    event.preventDefault();
    submit();
  };

  const onKeyDown = (event: KeyboardEvent): void => {
    if (event.key !== 'Enter' || !(event.ctrlKey || event.metaKey) || !isReady) return;
    event.preventDefault();
    submit();
  };

  return (
    <Dialog title="Save version" onClose={onClose}>
      <form onSubmit={onSubmit}>
        <label className="field">
          <span>What changed, and why</span>
          <textarea
            className="text-input is-tall"
            rows={3}
            value={message}
            maxLength={MAX_MESSAGE_LENGTH}
            placeholder="Ask for the order number first"
            onChange={(event) => setMessage(event.target.value)}
            onKeyDown={onKeyDown}
            required
          />
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
          <button
            type="submit"
            className="push-button is-primary"
            disabled={!isReady}
            aria-keyshortcuts="Control+Enter Meta+Enter"
            title="Ctrl+Enter"
          >
            Save version
          </button>
        </div>
      </form>
    </Dialog>
  );
}
