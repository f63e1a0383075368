"""The recorded session: what is kept is what the model makes, and every engine comes to its text."""

import tomllib
from random import Random

from crdt.diff import TextEdit
from crdt.document import Document
from load.recording.record import SCRIPT, SEED, Recorder
from load.recording.session import Session, as_updates, recorded
from load.recording.typist import Step, Typist
from tests.support.yjs import YjsProcess


def test_the_recording_is_what_its_script_and_seed_make() -> None:
    steps = [Step(**step) for step in tomllib.loads(SCRIPT.read_text())["step"]]
    assert Session.of(Recorder(steps, SEED).record().as_bytes()) == recorded()


def test_both_authors_come_to_the_recorded_text() -> None:
    _, texts = as_updates(recorded())
    assert texts == [recorded().text] * 2


async def test_yjs_comes_to_the_recorded_text() -> None:
    updates, _ = as_updates(recorded())
    async with YjsProcess() as yjs:
        assert await yjs.replay(updates) == recorded().text


def test_the_session_holds_what_makes_editing_together_hard() -> None:
    keys = recorded().keys
    made = [0, 0]
    unseen = 0
    for key in keys:
        unseen += key.seen < made[1 - key.author]
        made[key.author] += 1
    assert min(made) > 1_000
    assert unseen > 500, "edits that were made before one of the other's had arrived"
    assert sum(key.edit.end > key.edit.start for key in keys) > 300, "edits that take something back"
    assert max(len(key.edit.text) for key in keys) > 500, "a paste"
    assert any(ord(max(key.edit.text, default="a")) > 0xFFFF for key in keys), "a character of two units"


def test_a_cursor_moves_with_the_text_before_it() -> None:
    document = Document(client_id=1)
    document.edit([TextEdit(0, 0, "one three")])
    typed: list[TextEdit] = []
    steps = [Step(0, "write", after="one", text="x")]
    typist = Typist(document, steps, Random(1), lambda edit, _: typed.append(edit))
    work = typist.work()
    next(work)
    other = Document(document.encode_state(), client_id=2)
    typist.receive(other.edit([TextEdit(0, 0, "zero ")]))
    for _ in work:
        pass
    assert typed[-1].start == len("zero one")
    assert document.text == "zero onex three"
