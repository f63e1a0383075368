import type { Prompt } from '../api/prompts';
import { ConfirmDialog } from '../parts/ConfirmDialog';

export interface DeleteDialogProps {
  readonly prompt: Prompt;
  readonly onClose: () => void;
  readonly onConfirm: () => Promise<void>;
}

export function DeleteDialog({ prompt, onClose, onConfirm }: DeleteDialogProps) {
  return (
    <ConfirmDialog title="Delete prompt?" label="Delete" isDanger onClose={onClose} onConfirm={onConfirm}>
      “{prompt.name}” disappears from the list, and whoever has it open is told. Nothing is lost: it can be restored
      from “Deleted”.
    </ConfirmDialog>
  );
}
