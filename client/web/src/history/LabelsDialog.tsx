/** The labels of a version: set another one, move one here from another version, or remove one. */
import { type SubmitEvent, useId, useRef, useState } from 'react';
import { type Label, placeLabel, removeLabel } from '../api/history';
import { ApiError, explain } from '../api/http';
import { Dialog } from '../parts/Dialog';
import { CloseIcon } from '../parts/icons';
import type { Version } from '../wire/version';
import { labelsOf, shortId } from './historyState';
import { LabelChip } from './LabelChip';
import type { Place } from './restore';

/** The longest name and the longest reason that the server takes, in characters. */
const MAX_NAME_LENGTH = 64;
const MAX_REASON_LENGTH = 1_000;

export interface LabelsDialogProps {
  readonly place: Place;
  readonly version: Version;
  /** Every label of the prompt. */
  readonly labels: readonly Label[];
  readonly onClose: () => void;
}

export function LabelsDialog({ place, version, labels, onClose }: LabelsDialogProps) {
  const { client, promptId } = place;
  const [name, setName] = useState('');
  const [reason, setReason] = useState('');
  const [problem, setProblem] = useState('');
  const [isBusy, setBusy] = useState(false);
  const nameInput = useRef<HTMLInputElement>(null);
  const suggestionsId = useId();
  const here = labelsOf(labels, version.id);
  const elsewhere = labels.filter((label) => label.version_id !== version.id);
  const moved = elsewhere.find((label) => label.name === name.trim());
  const isHere = here.some((label) => label.name === name.trim());

  const change = (work: Promise<void>): void => {
    setBusy(true);
    setProblem('');
    work
      .then(() => {
        setName('');
        setReason('');
        // The button that was pressed may be gone.
        nameInput.current?.focus();
      })
      .catch((error: unknown) => setProblem(explainLabel(error)))
      .finally(() => setBusy(false));
  };

  const submit = (event: SubmitEvent): void => {
    event.preventDefault();
    const placement = { name: name.trim(), versionId: version.id, expected: moved?.version_id ?? null, reason };
    change(placeLabel(client, promptId, placement));
  };

  return (
    <Dialog title={`Labels of ${shortId(version.id)}`} onClose={onClose}>
      {here.length === 0 ? (
        <p className="labels-none">This version has no label.</p>
      ) : (
        <ul className="labels-here">
          {here.map((label) => (
            <li key={label.name}>
              <LabelChip label={label} />
              <button
                type="button"
                className="push-button is-quiet is-icon"
                aria-label={`Remove ${label.name}`}
                title="Remove"
                disabled={isBusy}
                onClick={() => change(removeLabel(client, promptId, label.name, version.id))}
              >
                <CloseIcon />
              </button>
            </li>
          ))}
        </ul>
      )}
      <form onSubmit={submit}>
        <label className="field">
          <span>Label</span>
          <input
            ref={nameInput}
            className="text-input"
            maxLength={MAX_NAME_LENGTH}
            list={suggestionsId}
            value={name}
            placeholder="production"
            autoComplete="off"
            onChange={(event) => setName(event.target.value)}
            required
          />
        </label>
        <datalist id={suggestionsId}>
          {elsewhere.map((label) => (
            <option key={label.name} value={label.name} />
          ))}
        </datalist>
        <label className="field">
          <span>Why (optional)</span>
          <input
            className="text-input"
            maxLength={MAX_REASON_LENGTH}
            value={reason}
            onChange={(event) => setReason(event.target.value)}
          />
        </label>
        {moved && (
          <p className="labels-move" role="status">
            “{moved.name}” is at {shortId(moved.version_id)} now, set by {moved.updated_by.name}. Move it here?
          </p>
        )}
        {problem && (
          <p className="problem" role="alert">
            {problem}
          </p>
        )}
        <div className="dialog-actions">
          <button type="button" className="push-button" onClick={onClose}>
            Done
          </button>
          <button type="submit" className="push-button is-primary" disabled={isBusy || isHere || !name.trim()}>
            {moved ? 'Move here' : 'Set label'}
          </button>
        </div>
      </form>
    </Dialog>
  );
}

function explainLabel(error: unknown): string {
  if (!(error instanceof ApiError) || error.code !== 'label_moved') return explain(error);
  const now = error.problem['version_id'];
  return typeof now === 'string'
    ? `Somebody was quicker: the label is at ${shortId(now)} now. Nothing was changed.`
    : 'Somebody was quicker: the label was removed. Nothing was changed.';
}
