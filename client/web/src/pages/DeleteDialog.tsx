import { useState } from 'react';
import { explain } from '../api/http';
import type { Prompt } from '../api/prompts';
import { Dialog } from '../parts/Dialog';

export interface DeleteDialogProps {
  readonly prompt: Prompt;
  readonly onClose: () => void;
  readonly onConfirm: () => Promise<void>;
}

export function DeleteDialog({ prompt, onClose, onConfirm }: DeleteDialogProps) {
  const [problem, setProblem] = useState('');
  const [isBusy, setBusy] = useState(false);

  const confirm = (): void => {
    setBusy(true);
    onConfirm().catch((error: unknown) => {
      setProblem(explain(error));
      setBusy(false);
    });
  };

  return (
    <Dialog title="Delete prompt?" onClose={onClose}>
      <p>
        “{prompt.name}” disappears from the list, and whoever has it open is told. Nothing is lost: it can be restored
        from “Deleted”.
      </p>
      {problem && (
        <p className="problem" role="alert">
          {problem}
        </p>
      )}
      <div className="dialog-actions">
        <button type="button" className="push-button" onClick={onClose}>
          Cancel
        </button>
        <button type="button" className="push-button is-danger" disabled={isBusy} onClick={confirm}>
          Delete
        </button>
      </div>
    </Dialog>
  );
}
