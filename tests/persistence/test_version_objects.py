"""Objects of versions, read in bulk."""

import zlib

from persistence.version_objects import VersionOutline
from tests.persistence.conftest import Home
from tests.persistence.history_rows import chain, made_id


async def test_a_stretch_of_the_chain_is_outlined_in_its_order(home: Home) -> None:
    prompt = await home.prompt()
    made = await chain(home, prompt.id, "one", "two", "three", "four")
    outlines = await home.store.version_objects.outlines(prompt.id, after=1, upto=3)
    assert outlines == [
        VersionOutline(version.number, version.id, version.path, version.blob_id, len(zlib.compress(text.encode())))
        for version, text in zip(made[1:3], ("two", "three"), strict=True)
    ]


async def test_commits_come_in_the_order_of_the_chain(home: Home) -> None:
    prompt = await home.prompt()
    await chain(home, prompt.id, "one", "two", "three")
    assert await home.store.version_objects.commits(prompt.id, first=2, last=3) == [b"commit two", b"commit three"]


async def test_texts_come_as_they_are_stored(home: Home) -> None:
    prompt = await home.prompt()
    made = await chain(home, prompt.id, *(f"text {n}" for n in range(20)))
    wanted = [version.blob_id for version in made[3:9]]
    found = await home.store.version_objects.compressed(prompt.id, wanted)
    assert {blob_id: zlib.decompress(data).decode() for blob_id, data in found.items()} == {
        version.blob_id: f"text {n}" for n, version in enumerate(made) if 3 <= n < 9
    }


async def test_what_is_no_version_of_the_prompt_has_no_number(home: Home) -> None:
    prompt, other = await home.prompt(), await home.prompt("Other")
    made = await chain(home, prompt.id, "one", "two")
    foreign = await chain(home, other.id, "three")
    ids = [version.id for version in (*made, *foreign)] + [made_id(7)]
    numbers = await home.store.version_objects.numbers(prompt.id, ids)
    assert numbers == {made[0].id: 1, made[1].id: 2}
    assert await home.store.version_objects.numbers(prompt.id, []) == {}


async def test_more_ids_than_a_statement_takes_are_looked_up(home: Home) -> None:
    prompt = await home.prompt()
    (version,) = await chain(home, prompt.id, "one")
    ids = [made_id(n, "c") for n in range(40_000)] + [version.id]
    assert await home.store.version_objects.numbers(prompt.id, ids) == {version.id: 1}
