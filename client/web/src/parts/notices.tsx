/** Short messages at the lower edge of the page: what was done, what could not be, and how to take it back. */
import { useSyncExternalStore } from 'react';
import { Signal } from '../live/signal';
import { CloseIcon } from './icons';
import './notices.css';

export interface Notice {
  readonly text: string;
  readonly kind?: 'information' | 'problem';
  readonly action?: { readonly label: string; readonly run: () => void };
}

interface Shown extends Notice {
  readonly id: number;
}

/** Long enough to read two sentences and reach for the button. In milliseconds. */
const SHOWN_FOR = 12_000;

const changed = new Signal();
let shown: readonly Shown[] = [];
let lastId = 0;

/** Shows a notice; the same text is shown once. */
export function notify(notice: Notice): void {
  lastId += 1;
  const id = lastId;
  shown = [...shown.filter(({ text }) => text !== notice.text), { ...notice, id }];
  changed.emit();
  setTimeout(() => dismiss(id), SHOWN_FOR);
}

function dismiss(id: number): void {
  shown = shown.filter((notice) => notice.id !== id);
  changed.emit();
}

/** The place where notices appear. */
export function Notices() {
  const notices = useSyncExternalStore(
    (listener) => changed.subscribe(listener),
    () => shown,
  );
  return (
    <div className="notices" role="status" aria-live="polite" data-testid="notices">
      {notices.map(({ id, text, kind = 'information', action }) => (
        <div key={id} className={`notice is-${kind}`}>
          <p>{text}</p>
          {action && (
            <button
              type="button"
              className="notice-action"
              onClick={() => {
                dismiss(id);
                action.run();
              }}
            >
              {action.label}
            </button>
          )}
          <button type="button" className="notice-close" aria-label="Dismiss" onClick={() => dismiss(id)}>
            <CloseIcon />
          </button>
        </div>
      ))}
    </div>
  );
}
