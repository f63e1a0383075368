import { type ReactNode, useState } from 'react';
import { explain } from '../api/http';
import { Dialog } from './Dialog';

export interface ConfirmDialogProps {
  readonly title: string;
  /** What the button says that does it. */
  readonly label: string;
  readonly isDanger?: boolean;
  readonly onClose: () => void;
  /** What fails is shown, and may be tried again; whoever asks closes the dialog. */
  readonly onConfirm: () => Promise<void>;
  readonly children: ReactNode;
}

/** Asks before something is done. */
export function ConfirmDialog({ title, label, isDanger = false, onClose, onConfirm, children }: ConfirmDialogProps) {
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
    <Dialog title={title} onClose={onClose}>
      <p>{children}</p>
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
          type="button"
          className={`push-button ${isDanger ? 'is-danger' : 'is-primary'}`}
          disabled={isBusy}
          onClick={confirm}
        >
          {label}
        </button>
      </div>
    </Dialog>
  );
}
