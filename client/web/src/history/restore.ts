/**
 * Makes the live text what it was in a version, so that it can be taken back exactly: the text before is a version of
 * its own, made just before if there is none.
 */
import type { Client } from '../api/client';
import { readContent, revert, saveVersion } from '../api/history';
import type { LivePrompt } from '../live/livePrompt';
import { shortId } from './historyState';

export interface Place {
  readonly client: Client;
  readonly promptId: string;
  readonly live: LivePrompt;
}

/** Takes a restore back; what was written since is kept as a version. */
export type UndoRestore = () => Promise<void>;

/** Restores a version; answers how to undo that, or `null` where the text is that of the version already. */
export async function restoreVersion(place: Place, versionId: string): Promise<UndoRestore | null> {
  const { client, promptId, live } = place;
  const wanted = await readContent(client, promptId, versionId);
  await live.allSaved();
  if (live.text.toString() === wanted) return null;
  const before = await saveVersion(client, promptId, `Before restoring ${shortId(versionId)}`);
  const restored = await revert(client, promptId, versionId);
  return async () => {
    await live.allSaved();
    if (live.text.toString() !== restored) {
      await saveVersion(client, promptId, `Before undoing the restore of ${shortId(versionId)}`);
    }
    await revert(client, promptId, before.version.id);
  };
}
