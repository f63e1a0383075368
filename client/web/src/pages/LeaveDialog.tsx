import { count } from '../live/savedState';
import { Dialog } from '../parts/Dialog';

export interface LeaveDialogProps {
  readonly edits: number;
  readonly onStay: () => void;
  readonly onLeave: () => void;
}

export function LeaveDialog({ edits, onStay, onLeave }: LeaveDialogProps) {
  return (
    <Dialog title="Leave with unsaved edits?" onClose={onStay}>
      <p>
        {count(edits)} of yours {edits === 1 ? 'is' : 'are'} not saved. This browser keeps {edits === 1 ? 'it' : 'them'}{' '}
        and sends {edits === 1 ? 'it' : 'them'} when you open this prompt here again.
      </p>
      <div className="dialog-actions">
        <button type="button" className="push-button" onClick={onLeave}>
          Leave
        </button>
        <button type="button" className="push-button is-primary" onClick={onStay}>
          Stay
        </button>
      </div>
    </Dialog>
  );
}
