/** The prompts of the organization: found, opened, created, renamed, deleted and brought back. */
import { useEffect, useState } from 'react';
import { useAccount, useAccountState } from '../account/AccountContext';
import { explain } from '../api/http';
import { deletePrompt, type Prompt, restorePrompt } from '../api/prompts';
import { InviteDialog } from '../parts/InviteDialog';
import { InviteIcon, PlusIcon, SearchIcon } from '../parts/icons';
import { notify } from '../parts/notices';
import { mayEdit } from '../wire/roomEvent';
import { DeleteDialog } from './DeleteDialog';
import { NameDialog } from './NameDialog';
import { PageHeader } from './PageHeader';
import { PromptList } from './PromptList';
import { usePrompts } from './usePrompts';
import './prompts.css';

type Open =
  | { readonly kind: 'create' | 'invite' }
  | { readonly kind: 'rename' | 'delete'; readonly prompt: Prompt }
  | null;

export function PromptsPage() {
  const { client } = useAccount();
  const account = useAccountState();
  const [search, setSearch] = useState('');
  const [isDeleted, setDeleted] = useState(false);
  const [open, setOpen] = useState<Open>(null);
  const prompts = usePrompts(search, { deleted: isDeleted });
  const role = account.status === 'signed-in' ? account.identity.role : 'viewer';
  const mayChange = mayEdit(role);

  useEffect(() => {
    document.title = 'Prompts · Promptroom';
  }, []);

  const close = (): void => setOpen(null);
  const remove = (prompt: Prompt): void => prompts.update((items) => items.filter(({ id }) => id !== prompt.id));

  const restore = (prompt: Prompt): void => {
    restorePrompt(client, prompt.id)
      .then(() => {
        remove(prompt);
        prompts.reload();
        notify({ text: `“${prompt.name}” is back.` });
      })
      .catch((error: unknown) => notify({ text: explain(error), kind: 'problem' }));
  };

  const confirmDelete = async (prompt: Prompt): Promise<void> => {
    await deletePrompt(client, prompt.id);
    remove(prompt);
    close();
    notify({ text: `“${prompt.name}” was deleted.`, action: { label: 'Undo', run: () => restore(prompt) } });
  };

  return (
    <>
      <PageHeader />
      <main className="prompts">
        <div className="prompts-head">
          <h1>{isDeleted ? 'Deleted prompts' : 'Prompts'}</h1>
          <div className="prompts-actions">
            {role === 'owner' && (
              <button type="button" className="push-button" onClick={() => setOpen({ kind: 'invite' })}>
                <InviteIcon /> Invite
              </button>
            )}
            {mayChange && (
              <button type="button" className="push-button is-primary" onClick={() => setOpen({ kind: 'create' })}>
                <PlusIcon /> New prompt
              </button>
            )}
          </div>
        </div>
        <div className="prompts-tools">
          <label className="prompts-search">
            <span className="visually-hidden">Search prompts</span>
            <SearchIcon />
            <input
              className="text-input"
              type="search"
              placeholder="Search by name"
              value={search}
              onChange={(event) => setSearch(event.target.value)}
            />
          </label>
          {mayChange && (
            <button
              type="button"
              className="push-button is-quiet"
              aria-pressed={isDeleted}
              onClick={() => setDeleted(!isDeleted)}
            >
              {isDeleted ? 'Back to prompts' : 'Deleted'}
            </button>
          )}
        </div>
        <PromptList
          prompts={prompts}
          search={search}
          mayChange={mayChange}
          isDeleted={isDeleted}
          onCreate={() => setOpen({ kind: 'create' })}
          onRename={(prompt) => setOpen({ kind: 'rename', prompt })}
          onDelete={(prompt) => setOpen({ kind: 'delete', prompt })}
          onRestore={restore}
        />
      </main>
      {open?.kind === 'create' && <NameDialog onClose={close} />}
      {open?.kind === 'rename' && (
        <NameDialog
          prompt={open.prompt}
          onClose={close}
          onRenamed={(renamed) =>
            prompts.update((items) => items.map((item) => (item.id === renamed.id ? renamed : item)))
          }
        />
      )}
      {open?.kind === 'delete' && (
        <DeleteDialog prompt={open.prompt} onClose={close} onConfirm={() => confirmDelete(open.prompt)} />
      )}
      {open?.kind === 'invite' && <InviteDialog next="/" onClose={close} />}
    </>
  );
}
