"""Presence: stamped, owned, merged, and gone with its connection."""

from random import Random

from crdt.awareness import AwarenessEntry, encode_awareness, read_awareness
from crdt.messages import AwarenessUpdate
from tests.server.living import House, Tab
from tests.support.waiting import wait_until


def announce(tab: Tab, client_id: int, clock: int, state: dict[str, object] | None) -> None:
    entry = AwarenessEntry(client_id, clock, state)  # type: ignore[arg-type]
    tab.send(b"\x01" + _with_length(encode_awareness([entry])))


def _with_length(payload: bytes) -> bytes:
    size, parts = len(payload), bytearray()
    while size >= 0x80:
        parts.append(0x80 | (size & 0x7F))
        size >>= 7
    return bytes([*parts, size]) + payload


def heard(tab: Tab) -> dict[int, AwarenessEntry]:
    """What has arrived, the last per client."""
    entries: dict[int, AwarenessEntry] = {}
    for message in tab.socket.take_messages():
        if isinstance(message, AwarenessUpdate):
            for entry in read_awareness(message.payload, max_entries=1_000, max_state_bytes=1 << 20):
                entries[entry.client_id] = entry
    return entries


async def hears(tab: Tab, client_id: int) -> AwarenessEntry:
    entries: dict[int, AwarenessEntry] = {}

    def arrived() -> bool:
        entries.update(heard(tab))
        return client_id in entries

    await wait_until(arrived, what=f"presence of {client_id}")
    return entries[client_id]


async def test_a_state_carries_the_identity_of_the_token(house: House) -> None:
    anna, ben = await house.open("anna"), await house.open("ben")
    announce(anna, 7, 1, {"cursor": 3, "user": {"name": "The Owner", "id": "forged"}})
    entry = await hears(ben, 7)
    assert entry.state is not None
    user = entry.state["user"]
    assert isinstance(user, dict)
    assert user["name"] == "anna"
    assert user["id"] == str(house.people["anna"].user_id)
    assert entry.state["cursor"] == 3


async def test_nobody_speaks_for_another_client(house: House) -> None:
    anna, ben, vera = [await house.open(name) for name in ("anna", "ben", "vera")]
    announce(anna, 7, 1, {"cursor": 1})
    await hears(vera, 7)
    announce(ben, 7, 5, {"cursor": 2})
    announce(ben, 7, 6, None)
    announce(ben, 8, 1, {"cursor": 9})
    await hears(vera, 8)
    everybody = house.hub._rooms.get(house.prompt_id)  # noqa: SLF001
    assert everybody is not None
    states = {entry.client_id: entry for entry in everybody.presence._states.entries()}  # noqa: SLF001
    assert states[7].clock == 1


async def test_a_client_id_bound_by_edits_is_not_taken_over(house: House) -> None:
    anna, ben = await house.open("anna"), await house.open("ben")
    anna.type("!")
    await anna.saved()
    announce(ben, anna.peer.document.client_id, 1, {"cursor": 2})
    announce(ben, 8, 1, {})
    entries: dict[int, AwarenessEntry] = {}

    def ben_is_here() -> bool:
        entries.update(heard(anna))
        return 8 in entries

    await wait_until(ben_is_here, what="ben's presence")
    assert set(entries) == {8}


async def test_one_who_repeats_a_state_does_not_become_its_owner(house: House) -> None:
    """Stock providers send remote states back; the second tab of one user must not take over the first one's."""
    first, second, ben = await house.open("anna"), await house.open("anna"), await house.open("ben")
    announce(first, 7, 4, {"cursor": 1})
    await hears(second, 7)
    announce(second, 7, 4, {"cursor": 1})
    second.hang_up()
    announce(first, 7, 5, {"cursor": 2})
    await wait_until(lambda: (entry := heard(ben).get(7)) is not None and entry.clock == 5, what="the newer state")
    first.hang_up()
    gone = await hears(ben, 7)
    assert gone.state is None


async def test_a_client_that_returns_takes_its_state_from_a_dead_connection(house: House) -> None:
    dead, ben = await house.open("anna"), await house.open("ben")
    announce(dead, 7, 4, {"cursor": 1})
    await hears(ben, 7)
    back = await house.open("anna")
    announce(back, 7, 5, {"cursor": 2})
    await hears(ben, 7)
    dead.hang_up()
    announce(back, 7, 6, {"cursor": 3})
    entry = await hears(ben, 7)
    assert entry.state is not None


async def test_a_newcomer_hears_who_is_here(house: House) -> None:
    anna = await house.open("anna")
    announce(anna, 7, 1, {"cursor": 1})
    late = house.tab("ben")
    await house.hub.join(house.prompt_id, late.session)
    assert set(heard(late)) == {7}


async def test_a_state_that_is_not_renewed_expires(house: House) -> None:
    anna, ben = await house.open("anna"), await house.open("ben")
    announce(anna, 7, 1, {"cursor": 1})
    await hears(ben, 7)
    house.clock.advance(31.0)
    house.hub.tick()
    assert (await hears(ben, 7)).state is None


async def test_many_moves_in_one_turn_become_one_frame(house: House, rng: Random) -> None:
    anna, ben = await house.open("anna"), await house.open("ben")
    heard(ben)
    last = rng.randrange(50, 100)
    for clock in range(1, last + 1):
        announce(anna, 7, clock, {"cursor": clock})
    messages: list[AwarenessUpdate] = []

    def arrived() -> bool:
        messages.extend(m for m in ben.socket.take_messages() if isinstance(m, AwarenessUpdate))
        return bool(messages)

    await wait_until(arrived, what="presence")
    (message,) = messages
    (entry,) = read_awareness(message.payload, max_entries=10, max_state_bytes=1 << 20)
    assert entry.clock == last
