import { type KeyboardEvent, useEffect, useState } from 'react';
import { MAX_NAME_LENGTH } from '../api/prompts';

export interface NameFieldProps {
  readonly name: string;
  readonly isEditable: boolean;
  /** Raises when the server refuses; the field then shows the old name again. */
  readonly onRename: (name: string) => Promise<void>;
}

/** The prompt's name as the page's heading; who may edit writes into it: Enter keeps, Escape takes back. */
export function NameField({ name, isEditable, onRename }: NameFieldProps) {
  const [draft, setDraft] = useState(name);

  useEffect(() => setDraft(name), [name]);

  if (!isEditable) return <h1 className="name-field">{name}</h1>;

  const save = (): void => {
    const next = draft.trim();
    if (!next || next === name) setDraft(name);
    else onRename(next).catch(() => setDraft(name));
  };

  const onKeyDown = (event: KeyboardEvent<HTMLInputElement>): void => {
    if (event.key === 'Enter') event.currentTarget.blur();
    if (event.key !== 'Escape') return;
    setDraft(name);
    // After the field shows the old name, so that leaving it does not save the draft.
    const field = event.currentTarget;
    requestAnimationFrame(() => field.blur());
  };

  return (
    <h1 className="name-field">
      <input
        aria-label="Prompt name"
        title="Rename"
        value={draft}
        size={Math.max(4, draft.length)}
        maxLength={MAX_NAME_LENGTH}
        onChange={(event) => setDraft(event.target.value)}
        onKeyDown={onKeyDown}
        onBlur={save}
      />
    </h1>
  );
}
