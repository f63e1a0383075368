import { HistoryButton, type HistoryButtonProps } from '../history/HistoryButton';
import type { LiveSnapshot } from '../live/livePrompt';
import { BackIcon, InviteIcon } from '../parts/icons';
import { ThemeSwitch } from '../parts/ThemeSwitch';
import { NameField } from './NameField';
import { SavedBadge } from './SavedBadge';

export interface EditorHeaderProps {
  readonly snapshot: LiveSnapshot;
  readonly history: HistoryButtonProps;
  readonly onRename: (name: string) => Promise<void>;
  readonly onLeave: () => void;
  readonly onInvite: () => void;
}

/** The head of the editor: the way back, the name, where the work stands, and what can be done. */
export function EditorHeader({ snapshot, history, onRename, onLeave, onInvite }: EditorHeaderProps) {
  const { name, role, writable, saved } = snapshot;
  return (
    <header className="room-header">
      <a
        href="/"
        className="push-button is-quiet is-icon"
        aria-label="All prompts"
        title="All prompts"
        onClick={(event) => {
          if (event.metaKey || event.ctrlKey || event.shiftKey) return;
          event.preventDefault();
          onLeave();
        }}
      >
        <BackIcon />
      </a>
      <NameField name={name} isEditable={writable} onRename={onRename} />
      <SavedBadge saved={saved} />
      <div className="room-header-end">
        {role === 'owner' && (
          <button type="button" className="push-button" onClick={onInvite}>
            <InviteIcon /> Invite
          </button>
        )}
        <HistoryButton {...history} />
        <ThemeSwitch />
      </div>
    </header>
  );
}
