import { LabelsDialog } from './LabelsDialog';
import { RestoreDialog } from './RestoreDialog';
import { SaveVersionDialog } from './SaveVersionDialog';
import type { HistoryView } from './useHistoryView';

/** Whichever dialog of the history is open. */
export function HistoryDialogs({ view }: { readonly view: HistoryView }) {
  const { place, history, comparison, dialog, compare, show } = view;
  const { versions, labels } = history.state;
  const version = versions.find(({ id }) => id === comparison?.versionId);
  const close = (): void => show(null);
  if (dialog === 'save') return <SaveVersionDialog place={place} onClose={close} />;
  if (!version) return null;
  if (dialog === 'labels') return <LabelsDialog place={place} version={version} labels={labels} onClose={close} />;
  if (dialog !== 'restore') return null;
  const backToText = (): void => {
    close();
    compare(null);
  };
  return <RestoreDialog place={place} version={version} onClose={close} onRestored={backToText} />;
}
