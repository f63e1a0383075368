import type { Prompt } from '../api/prompts';
import { ago } from '../parts/ago';
import { PencilIcon, RestoreIcon, TrashIcon } from '../parts/icons';
import { Link, promptPath } from '../routing';
import type { Prompts } from './usePrompts';

export interface PromptListProps {
  readonly prompts: Prompts;
  readonly search: string;
  readonly mayChange: boolean;
  /** Whether these are the deleted ones. */
  readonly isDeleted: boolean;
  readonly onCreate: () => void;
  readonly onRename: (prompt: Prompt) => void;
  readonly onDelete: (prompt: Prompt) => void;
  readonly onRestore: (prompt: Prompt) => void;
}

/** Fetches the editor while the pointer is still on its way to the click. */
function prefetchEditor(): void {
  void import('./EditorPage');
}

export function PromptList(props: PromptListProps) {
  const { items, problem, hasMore, loadMore, reload } = props.prompts;
  if (problem) {
    return (
      <div className="prompts-empty">
        <p className="problem" role="alert">
          {problem}
        </p>
        <button type="button" className="push-button" onClick={reload}>
          Try again
        </button>
      </div>
    );
  }
  if (!items) return <div className="prompts-loading" aria-busy="true" />;
  if (items.length === 0) return <NoPrompts {...props} />;
  return (
    <>
      <ul className="prompt-list" data-testid="prompt-list">
        {items.map((prompt) => (
          <li key={prompt.id} className="prompt-row" data-testid="prompt-row">
            <Row prompt={prompt} {...props} />
          </li>
        ))}
      </ul>
      {hasMore && (
        <button type="button" className="push-button prompts-more" onClick={loadMore}>
          Show more
        </button>
      )}
    </>
  );
}

function Row({ prompt, isDeleted, mayChange, onRename, onDelete, onRestore }: PromptListProps & { prompt: Prompt }) {
  const { id, name, updated_at, created_by } = prompt;
  return (
    <>
      <div className="prompt-row-text">
        {isDeleted ? (
          <span className="prompt-row-name">{name}</span>
        ) : (
          <Link
            href={promptPath(id)}
            className="prompt-row-name"
            onPointerEnter={prefetchEditor}
            onFocus={prefetchEditor}
          >
            {name}
          </Link>
        )}
        <span className="prompt-row-about">
          Created by {created_by.name} · changed{' '}
          <time dateTime={updated_at} title={new Date(updated_at).toLocaleString()}>
            {ago(updated_at)}
          </time>
        </span>
      </div>
      {mayChange && (
        <div className="prompt-row-actions">
          {isDeleted ? (
            <button
              type="button"
              className="push-button"
              aria-label={`Restore ${name}`}
              onClick={() => onRestore(prompt)}
            >
              <RestoreIcon /> Restore
            </button>
          ) : (
            <>
              <button
                type="button"
                className="push-button is-quiet is-icon"
                aria-label={`Rename ${name}`}
                title="Rename"
                onClick={() => onRename(prompt)}
              >
                <PencilIcon />
              </button>
              <button
                type="button"
                className="push-button is-quiet is-icon"
                aria-label={`Delete ${name}`}
                title="Delete"
                onClick={() => onDelete(prompt)}
              >
                <TrashIcon />
              </button>
            </>
          )}
        </div>
      )}
    </>
  );
}

function NoPrompts({ search, isDeleted, mayChange, onCreate }: PromptListProps) {
  if (search) return <p className="prompts-empty">No prompt has “{search}” in its name.</p>;
  if (isDeleted) return <p className="prompts-empty">Nothing is deleted.</p>;
  return (
    <div className="prompts-empty">
      <h2>No prompts yet</h2>
      <p>A prompt is one text file that your team edits together: YAML settings, then the text with its variables.</p>
      {mayChange && (
        <button type="button" className="push-button is-primary" onClick={onCreate}>
          Create the first prompt
        </button>
      )}
    </div>
  );
}
