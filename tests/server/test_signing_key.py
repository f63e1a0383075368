"""The signing key: made once, however many start at the same moment."""

from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

from server.signing_key import load_or_create_key


def test_of_many_that_start_at_once_all_have_the_same_key(tmp_path: Path) -> None:
    path = tmp_path / "var" / "key"
    with ThreadPoolExecutor(8) as pool:
        keys = set(pool.map(lambda _: load_or_create_key(path), range(32)))
    assert len(keys) == 1
    assert [each.name for each in path.parent.iterdir()] == ["key"]
