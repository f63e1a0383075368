import { HistoryIcon } from '../parts/icons';

/** The id of the panel that the button opens. */
export const HISTORY_PANEL_ID = 'history-panel';

export interface HistoryButtonProps {
  readonly isOpen: boolean;
  readonly onToggle: () => void;
}

/** Opens and closes the history. */
export function HistoryButton({ isOpen, onToggle }: HistoryButtonProps) {
  return (
    <button
      type="button"
      className="push-button history-button"
      aria-expanded={isOpen}
      aria-controls={isOpen ? HISTORY_PANEL_ID : undefined}
      aria-keyshortcuts="Alt+Shift+H"
      title="Versions and labels (Alt+Shift+H)"
      onClick={onToggle}
    >
      <HistoryIcon /> History
    </button>
  );
}
