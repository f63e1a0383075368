"""Mutations of honest frames: nothing but our own errors, and whatever is accepted reads alike everywhere.

The long run takes 240,000 mutations and more, the short one a few thousand of the same:

    pytest tests/crdt/test_fuzz.py --long --seed 1 -s
"""

from collections import Counter
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field
from random import Random

import pycrdt
import pytest

from crdt.awareness import encode_awareness, read_awareness
from crdt.causality import Knowledge
from crdt.codec import decode_frame, encode
from crdt.document import TEXT_NAME, beyond
from crdt.errors import AwarenessError, FrameError, FrameTooLarge, StateVectorError, UpdateError
from crdt.messages import AwarenessUpdate, Message, QueryAwareness, SyncStep1, SyncStep2, Update
from crdt.summary import UpdateSummary
from crdt.update import encode_state_vector, read_state_vector, read_update
from tests.crdt.mutations import StrangeUpdates, mutated
from tests.crdt.sessions import honest_session
from tests.crdt.yjs_oracle import LEVELS, YjsOracle

MAX_FRAME_BYTES = 100_000
STEPS = 40

# Mutations of one frame at one moment of a session, and moments of a session.
TRIES = 30
MOMENTS = 20
# How often the replica takes in what was accepted.
TAKEN = 0.3


@dataclass
class Moment:
    """A replica in the middle of an honest session, and what comes next.

    Args:
        past: what it has taken in.
        next: the update that comes next.
        summaries: what the reader found in the past.
        knowledge: what the replica knows.
    """

    past: list[bytes]
    next: bytes
    summaries: list[UpdateSummary] = field(init=False)
    knowledge: Knowledge = field(init=False)

    def __post_init__(self) -> None:
        self.knowledge = Knowledge()
        self.summaries = [read_update(update) for update in self.past]
        for summary in self.summaries:
            self.knowledge.add(summary)

    def go_on(self, update: bytes, summary: UpdateSummary) -> None:
        self.past.append(update)
        self.summaries.append(summary)
        self.knowledge.add(summary)

    def document(self) -> "Engine":
        engine = Engine()
        for update in self.past:
            engine.apply(update)
        return engine


class Engine:
    """pycrdt, as it is."""

    def __init__(self) -> None:
        self._document: pycrdt.Doc[pycrdt.Text] = pycrdt.Doc(client_id=1)
        self._text = self._document.get(TEXT_NAME, type=pycrdt.Text)

    @property
    def text(self) -> str:
        return str(self._text)

    def apply(self, update: bytes) -> None:
        self._document.apply_update(update)

    def state(self, state_vector: bytes = b"\x00") -> bytes:
        return self._document.get_update(state_vector)


class Campaign:
    """Mutates, reads, and compares what was accepted.

    Args:
        random: from which everything follows.
        yjs: real Yjs.
    """

    def __init__(self, random: Random, yjs: YjsOracle) -> None:
        self.counts: Counter[str] = Counter()
        self._random = random
        self._yjs = yjs

    def run(self, sessions: int) -> None:
        """Several sessions, honest ones of both makes in turn."""
        for number in range(sessions):
            updates = self._session(number)
            for _ in range(MOMENTS):
                index = self._random.randrange(len(updates))
                self._moment(Moment(updates[:index], updates[index]), updates)

    def _session(self, number: int) -> list[bytes]:
        make = number % (len(LEVELS) + 1)
        steps = self._random.randint(3, STEPS)
        if make == len(LEVELS):
            return honest_session(self._random, edits=steps).updates or [b"\x00\x00"]
        return self._yjs.session(self._random, LEVELS[make], steps=steps).updates

    def _moment(self, moment: Moment, updates: Sequence[bytes]) -> None:
        for _ in range(TRIES):
            self.counts["mutated"] += 1
            kind = self._random.random()
            if kind < 0.6:
                self._update(moment, mutated(self._random, moment.next, updates))
            elif kind < 0.8:
                self._frame(moment, self._mutated_frame(moment))
            else:
                self._update(moment, StrangeUpdates(self._random, moment.summaries).make())

    def _mutated_frame(self, moment: Moment) -> bytes:
        honest = [encode(message) for message in self._messages(moment)]
        frame = b"".join(self._random.sample(honest, self._random.choice((1, 1, 1, 2, 3))))
        return mutated(self._random, frame, honest)

    @staticmethod
    def _messages(moment: Moment) -> Iterator[Message]:
        yield Update(moment.next)
        yield SyncStep2(moment.next)
        yield SyncStep1(encode_state_vector(moment.knowledge.state))
        yield AwarenessUpdate(encode_awareness([]))
        yield QueryAwareness()

    def _frame(self, moment: Moment, frame: bytes) -> None:
        try:
            messages = decode_frame(frame, max_bytes=MAX_FRAME_BYTES)
        except (FrameError, FrameTooLarge) as error:
            self.counts[error.code] += 1
            return
        for message in messages:
            if isinstance(message, Update | SyncStep2):
                self._update(moment, message.update)
            elif isinstance(message, SyncStep1):
                self._state_vector(moment, message.state_vector)
            elif isinstance(message, AwarenessUpdate):
                self._presence(message.payload)

    def _presence(self, payload: bytes) -> None:
        try:
            read_awareness(payload, max_entries=64, max_state_bytes=8192)
        except AwarenessError as error:
            self.counts[error.code] += 1

    def _state_vector(self, moment: Moment, data: bytes) -> None:
        try:
            moment.knowledge.landmarks.check_state_vector(read_state_vector(data))
        except StateVectorError as error:
            self.counts[error.code] += 1
            return
        self.counts["state vectors accepted"] += 1
        answer = moment.document().state(data)
        assert read_update(answer) is not None
        assert read_update(self._yjs.diff(moment.past, data)) is not None

    def _update(self, moment: Moment, data: bytes) -> None:
        try:
            summary = read_update(data)
            if not moment.knowledge.is_ready(summary):
                self.counts["not ready"] += 1
                return
            moment.knowledge.check(summary)
        except UpdateError as error:
            self.counts[error.code] += 1
            return
        self.counts["accepted"] += 1
        self.counts["accepted and new"] += not moment.knowledge.is_known(summary)
        try:
            stored = self._stored(moment, data)
            text = self._compare(moment, data, summary)
            if stored != data:
                assert self._compare(moment, stored, read_update(stored)) == text
            self._check_merged(moment, stored, text)
        except BaseException as error:  # a panic of the engine is no Exception
            error.add_note(f"update {data.hex()} behind {[update.hex() for update in moment.past]}")
            raise
        if self._random.random() < TAKEN:
            # What is accepted must not make honest updates impossible later, nor other strange ones harmful.
            moment.go_on(stored, read_update(stored))

    def _stored(self, moment: Moment, data: bytes) -> bytes:
        """What a room stores of an update: nothing that it claims of what is known."""
        knowledge = moment.knowledge
        if not knowledge.repeats(read_update(data)):
            return data
        self.counts["accepted and repeating"] += 1
        rest = beyond(data, knowledge.state)
        summary = read_update(rest)
        assert knowledge.is_ready(summary)
        assert not knowledge.repeats(summary)
        knowledge.check(summary)
        return rest

    def _check_merged(self, moment: Moment, data: bytes, text: str) -> None:
        """The last updates read the same when they come merged into one, as a room sends them."""
        first = self._random.randint(max(0, len(moment.past) - 5), len(moment.past))
        merged = pycrdt.merge_updates(*moment.past[first:], data)
        assert not read_update(merged).has_gap
        engine = Engine()
        for update in (*moment.past[:first], merged):
            engine.apply(update)
        assert engine.text == text
        reading = self._yjs.read([*moment.past[:first], merged])
        assert not reading.pending
        assert reading.text == text

    def _compare(self, moment: Moment, data: bytes, summary: UpdateSummary) -> str:
        """Yjs and the engine read the same, now, from the engine's state, and after somebody has typed in Yjs."""
        engine = moment.document()
        engine.apply(data)
        text = engine.text
        state = engine.state()
        again = Engine()
        again.apply(state)
        in_yjs = self._yjs.read([*moment.past, data], type_at=self._random.random())
        assert in_yjs.edit is not None
        assert not in_yjs.pending
        assert again.text == text
        assert self._yjs.read([state]).text == text
        knowledge = moment.knowledge.copy()
        knowledge.add(summary)
        typed = read_update(in_yjs.edit)
        assert knowledge.is_ready(typed)
        try:
            knowledge.check(typed)
        except UpdateError as error:
            # The place was drawn blindly, perhaps between the halves of a pair.
            assert error.code == "update_pair_split"  # noqa: PT017
            assert self._yjs.read([*moment.past, data]).text == text
            return text
        engine.apply(in_yjs.edit)
        assert in_yjs.text == engine.text
        return text


def report(campaign: Campaign) -> str:
    return "\n" + "\n".join(f"{count:>8} {what}" for what, count in campaign.counts.most_common())


@pytest.mark.slow
def test_mutations(rng: Random) -> None:
    with YjsOracle() as yjs:
        campaign = Campaign(rng, yjs)
        campaign.run(8)

    assert campaign.counts["mutated"] == 8 * MOMENTS * TRIES, report(campaign)
    assert campaign.counts["accepted and new"] >= 300, report(campaign)


@pytest.mark.long
@pytest.mark.timeout(3_600)
def test_very_many_mutations(rng: Random) -> None:
    with YjsOracle() as yjs:
        campaign = Campaign(rng, yjs)
        campaign.run(400)

    print(report(campaign))  # noqa: T201 the figures are what the long run is for
    assert campaign.counts["mutated"] >= 200_000
    assert campaign.counts["accepted and new"] >= 5_000
