import { type FormEvent, useState } from 'react';
import { useAccount } from '../account/AccountContext';
import { explain } from '../api/http';
import { createPrompt, MAX_NAME_LENGTH, type Prompt, renamePrompt } from '../api/prompts';
import { Dialog } from '../parts/Dialog';
import { navigate, promptPath } from '../routing';

export interface NameDialogProps {
  /** The prompt to rename; without one, a new prompt is created and opened. */
  readonly prompt?: Prompt;
  readonly onRenamed?: (prompt: Prompt) => void;
  readonly onClose: () => void;
}

export function NameDialog({ prompt, onRenamed, onClose }: NameDialogProps) {
  const { client } = useAccount();
  const [name, setName] = useState(prompt?.name ?? '');
  const [problem, setProblem] = useState('');
  const [isBusy, setBusy] = useState(false);
  const done = prompt ? 'Rename' : 'Create';

  const save = async (): Promise<void> => {
    if (prompt) {
      onRenamed?.(await renamePrompt(client, prompt.id, name.trim()));
      onClose();
    } else {
      navigate(promptPath((await createPrompt(client, name.trim(), '')).id));
    }
  };

  const submit = (event: FormEvent): void => {
    event.preventDefault();
    setBusy(true);
    save().catch((error: unknown) => {
      setProblem(explain(error));
      setBusy(false);
    });
  };

  return (
    <Dialog title={prompt ? 'Rename prompt' : 'New prompt'} onClose={onClose}>
      <form onSubmit={submit}>
        <label className="field">
          <span>Name</span>
          <input
            className="text-input"
            value={name}
            maxLength={MAX_NAME_LENGTH}
            placeholder="Support answer"
            onChange={(event) => setName(event.target.value)}
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
          <button type="submit" className="push-button is-primary" disabled={isBusy || !name.trim()}>
            {done}
          </button>
        </div>
      </form>
    </Dialog>
  );
}
