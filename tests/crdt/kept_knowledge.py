"""Knowledge beside what was kept of it as bytes: whatever is asked, both answer alike."""

from collections import Counter
from collections.abc import Iterator, Sequence
from random import Random

from crdt.causality import Knowledge, Need
from crdt.columns import ColumnWriter
from crdt.errors import StateVectorError, UpdateError
from crdt.knowledge_bytes import decode_knowledge, encode_knowledge
from crdt.summary import UpdateSummary
from crdt.update import read_update
from tests.crdt.mutations import StrangeUpdates, mutated

# Strange updates, and mutations, between two honest ones.
TRIES = 12


def columns_of(knowledge: Knowledge) -> bytes:
    columns = ColumnWriter()
    knowledge.write(columns)
    return columns.written()


def kept(knowledge: Knowledge) -> Knowledge:
    again = decode_knowledge(encode_knowledge(knowledge))
    assert again is not None
    assert again == knowledge
    assert columns_of(again) == columns_of(knowledge)
    return again


class Both:
    """Knowledge and what was kept of it, asked the same.

    Args:
        past: what is known.
        knowledge: of that.
        random: from which everything follows.
    """

    def __init__(self, past: Sequence[bytes], knowledge: Knowledge, random: Random) -> None:
        self.answers: Counter[str] = Counter()
        self._each = knowledge, kept(knowledge)
        self._random = random
        self._past = [*past]
        self._summaries = [read_update(update) for update in past]

    def live(self, rest: Sequence[bytes]) -> None:
        """What is honest comes and is taken in, and much is asked about that is not; in the end that comes too."""
        for honest in rest:
            for dishonest in self._dishonest(honest):
                if self.answer(dishonest) == "accepted":
                    self._take_in(dishonest, *(knowledge.copy() for knowledge in self._each))
            assert self.answer(honest) == "accepted"
            self._take_in(honest, *self._each)
            self._past.append(honest)
            self._summaries.append(read_update(honest))
            self._meet_somebody()
        for dishonest in self._dishonest(rest[-1]):
            if self.answer(dishonest) == "accepted":
                self._take_in(dishonest, *self._each)

    def _dishonest(self, honest: bytes) -> Iterator[bytes]:
        strange = StrangeUpdates(self._random, self._summaries)
        for _ in range(TRIES):
            yield mutated(self._random, honest, [*self._past, honest])
            yield strange.make()

    def _take_in(self, data: bytes, one: Knowledge, other: Knowledge) -> None:
        summary = read_update(data)
        # Of what is known, a room takes in nothing: that may claim anything.
        if not one.repeats(summary):
            one.add(summary)
            other.add(summary)
            assert one == other
            assert columns_of(one) == columns_of(other)

    def answer(self, data: bytes) -> str | None:
        try:
            summary = read_update(data)
        except UpdateError:
            return None
        one, other = (self._answers(knowledge, summary) for knowledge in self._each)
        assert one == other, data.hex()
        self.answers[one[0]] += 1
        return one[0]

    @staticmethod
    def _answers(knowledge: Knowledge, summary: UpdateSummary) -> tuple[str, Need | None, bool, bool]:
        need = knowledge.first_need(summary)
        answer = "accepted" if need is None else "not ready"
        if need is None:
            try:
                knowledge.check(summary)
            except UpdateError as error:
                answer = error.code
        return answer, need, knowledge.is_known(summary), knowledge.repeats(summary)

    def _meet_somebody(self) -> None:
        state = {client: self._random.randint(0, end) for client, end in self._each[0].state.items()}
        one, other = (self._answer_to_somebody(knowledge, state) for knowledge in self._each)
        assert one == other
        self.answers[one] += 1

    @staticmethod
    def _answer_to_somebody(knowledge: Knowledge, state: dict[int, int]) -> str:
        try:
            knowledge.landmarks.check_state_vector(state)
        except StateVectorError as error:
            return error.code
        return "met"
