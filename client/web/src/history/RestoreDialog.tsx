import { explain } from '../api/http';
import { ConfirmDialog } from '../parts/ConfirmDialog';
import { notify } from '../parts/notices';
import type { Version } from '../wire/version';
import { shortId, titleOf } from './historyState';
import { type Place, restoreVersion, type UndoRestore } from './restore';

export interface RestoreDialogProps {
  readonly place: Place;
  readonly version: Version;
  readonly onClose: () => void;
  readonly onRestored: () => void;
}

export function RestoreDialog({ place, version, onClose, onRestored }: RestoreDialogProps) {
  const name = shortId(version.id);

  const restore = async (): Promise<void> => {
    const undo = await restoreVersion(place, version.id);
    if (undo) {
      const action = { label: 'Undo restore', run: () => takeBack(name, undo) };
      notify({ text: `The text is as it was in ${name}.`, action });
    } else {
      notify({ text: `The text is already as it was in ${name}.` });
    }
    onRestored();
  };

  return (
    <ConfirmDialog title={`Restore ${name}?`} label="Restore" onClose={onClose} onConfirm={restore}>
      The text becomes what it was in “{titleOf(version)}”, for everybody in the room and at once; whoever is typing
      goes on typing. Nothing is lost: the text as it is now is kept as a version, and you can undo this.
    </ConfirmDialog>
  );
}

function takeBack(name: string, undo: UndoRestore): void {
  undo()
    .then(() => notify({ text: `The restore of ${name} is undone.` }))
    .catch((error: unknown) => {
      notify({
        text: explain(error),
        kind: 'problem',
        action: { label: 'Try again', run: () => takeBack(name, undo) },
      });
    });
}
