/** The room: the editor, who is there, and where everybody's work stands. */
import { lazy, Suspense, useCallback, useEffect, useState } from 'react';
import { useAccount } from '../account/AccountContext';
import { explain } from '../api/http';
import { renamePrompt } from '../api/prompts';
import type { Refusal } from '../binding/binding';
import { MAX_CHANGE_UNITS, MAX_TEXT_UNITS } from '../binding/limits';
import { CompareView } from '../history/CompareView';
import { HistoryDialogs } from '../history/HistoryDialogs';
import { HistoryPanel } from '../history/HistoryPanel';
import { PlaybackView } from '../history/PlaybackView';
import { useHistoryView } from '../history/useHistoryView';
import type { LivePrompt } from '../live/livePrompt';
import { InviteDialog } from '../parts/InviteDialog';
import { notify } from '../parts/notices';
import { useIsDark } from '../parts/theme';
import { navigate, promptPath } from '../routing';
import { EditorHeader } from './EditorHeader';
import { LeaveDialog } from './LeaveDialog';
import { PeopleList } from './PeopleList';
import { RoomBanner } from './RoomBanner';
import { usePeople, useSnapshot } from './useLive';
import './room.css';

// Asked for as soon as this module is there, so that Monaco loads while the room is being joined.
const editorPane = import('../editor/EditorPane');
const EditorPane = lazy(() => editorPane.then((module) => ({ default: module.EditorPane })));

const REFUSALS: Readonly<Record<Refusal, string>> = {
  'change-too-large': `That is too much at once: a change may insert up to ${MAX_CHANGE_UNITS.toLocaleString('en')} characters. Nothing was changed.`,
  'text-too-large': `A prompt may have up to ${MAX_TEXT_UNITS.toLocaleString('en')} characters. Nothing was changed.`,
  'read-only': 'You may read this prompt, not edit it. Nothing was changed.',
};

function refuse(refusal: Refusal): void {
  notify({ text: REFUSALS[refusal], kind: 'problem' });
}

export function RoomView({ live, promptId }: { readonly live: LivePrompt; readonly promptId: string }) {
  const { client } = useAccount();
  const snapshot = useSnapshot(live);
  const people = usePeople(live);
  const isDark = useIsDark();
  const history = useHistoryView(live, promptId);
  const [isInviting, setInviting] = useState(false);
  const [isLeaving, setLeaving] = useState(false);
  const { isOpen, comparison, isPlayback, toggle, show } = history;
  const theme = isDark ? 'promptroom-dark' : 'promptroom-light';
  const { name, saved, ready, writable } = snapshot;

  const needsAttention = saved.edits > 0 && saved.kind !== 'saving';
  useEffect(() => {
    document.title = `${needsAttention ? '• ' : ''}${name} · Promptroom`;
  }, [name, needsAttention]);

  const rename = async (next: string): Promise<void> => {
    try {
      live.renamed((await renamePrompt(client, promptId, next)).name);
    } catch (error) {
      notify({ text: explain(error), kind: 'problem' });
      throw error;
    }
  };

  const explainSaving = useCallback((): void => {
    const action = { label: 'Save a version…', run: () => show('save') };
    const text = 'Every edit is saved by itself, as soon as you make it.';
    notify(live.snapshot.writable ? { text, action } : { text });
  }, [live, show]);

  const leave = (): void => {
    if (live.unsavedEdits > 0) setLeaving(true);
    else navigate('/');
  };

  return (
    <div className="room">
      <EditorHeader
        snapshot={snapshot}
        history={{ isOpen, onToggle: toggle }}
        onRename={rename}
        onLeave={leave}
        onInvite={() => setInviting(true)}
      />
      <RoomBanner live={live} snapshot={snapshot} />
      <div className="room-body">
        <main className="room-editor">
          {ready ? (
            <Suspense fallback={<Skeleton />}>
              <EditorPane
                live={live}
                writable={writable}
                theme={theme}
                isCovered={comparison !== null || isPlayback}
                readBlame={history.readBlame}
                onRefused={refuse}
                onSaveKey={explainSaving}
              />
            </Suspense>
          ) : (
            <Skeleton />
          )}
          {comparison && <CompareView view={history} comparison={comparison} mayWrite={writable} theme={theme} />}
          {isPlayback && <PlaybackView view={history} theme={theme} />}
        </main>
        {isOpen && <HistoryPanel view={history} mayWrite={writable} />}
        <PeopleList people={people} ownClientId={live.awareness.clientID} />
      </div>
      <HistoryDialogs view={history} />
      {isInviting && <InviteDialog next={promptPath(promptId)} onClose={() => setInviting(false)} />}
      {isLeaving && <LeaveDialog edits={saved.edits} onStay={() => setLeaving(false)} onLeave={() => navigate('/')} />}
    </div>
  );
}

function Skeleton() {
  return (
    <div className="room-skeleton" aria-busy="true" role="img" aria-label="The text is being loaded">
      {[34, 22, 0, 64, 78, 52].map((width) => (
        <span key={width} style={{ width: `${width}%` }} />
      ))}
    </div>
  );
}
