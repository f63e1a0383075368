"""Hunks that people read and that the real Git applies."""

import subprocess
from pathlib import Path
from random import Random

import pytest

from crdt.diff import apply_edits
from server.history.hunks import Hunk, LineKind, changed_lines, count_changed_lines, hunks_of, unified
from tests.crdt.sessions import random_edit

NAME = "greeting.prompt"
# Line ends of other systems, tabs, an empty line, what looks like a diff, characters of every length.
PIECES = [
    *("\n", "\n", "a", "b ", "é", "漢字", "😀", "👩\u200d💻", "\t", "\x0c", "\u2028", "\x85"),
    *("\\ ", "@@ -1 +1 @@", "--- a", "+", "-"),
]


def in_utf16(text: str, start: int, end: int) -> str:
    return text.encode("utf-16-le")[2 * start : 2 * end].decode("utf-16-le")


def applied(directory: Path, before: str, patch: str, *arguments: str) -> str:
    """Answer what `git apply` makes of a file."""
    path = directory / NAME
    path.write_bytes(before.encode())
    command = ["git", "apply", "--whitespace=nowarn", *arguments, "-"]  # found on the path, as a checkout needs it
    done = subprocess.run(command, cwd=directory, input=patch.encode(), capture_output=True, check=False)
    assert done.returncode == 0, (before, patch, done.stderr.decode())
    return path.read_bytes().decode()


@pytest.fixture
def repository(tmp_path: Path) -> Path:
    subprocess.run(["git", "init", "--quiet", tmp_path], check=True)  # noqa: S607 - git is what makes a checkout
    return tmp_path


@pytest.mark.parametrize(
    ("before", "after"),
    [
        ("", "one\n"),
        ("", "no newline"),
        ("one\n", ""),
        ("no newline", ""),
        ("one\ntwo\n", "one\ntwo"),
        ("one\ntwo", "one\ntwo\n"),
        ("one\ntwo", "one\n2"),
        ("\n", ""),
        ("\n", "\n\n"),
        ("Say 😀\n", "Say 😁\nto 👩\u200d💻"),
        ("a\x0cb\u2028c\n", "a\x0cb\u2028d\n"),
        ("".join(f"{n}\n" for n in range(50)), "".join(f"{n}\n" for n in range(50) if n not in {0, 20, 49})),
    ],
)
def test_git_applies_the_unified_text_in_both_directions(repository: Path, before: str, after: str) -> None:
    patch = unified(hunks_of(before, after), NAME)
    assert applied(repository, before, patch) == after
    assert applied(repository, after, patch, "--reverse") == before


def test_git_applies_what_leads_from_any_text_to_any_other(repository: Path, rng: Random) -> None:
    for _ in range(60):
        before = "".join(rng.choices(PIECES, k=rng.randint(0, 60)))
        after = before
        for _ in range(rng.randint(0, 4)):
            after = (
                apply_edits(after, [random_edit(rng, after)])
                if rng.random() < 0.8
                else "".join(rng.choices(PIECES, k=20))
            )
        hunks = hunks_of(before, after)
        assert changed_lines(hunks) == count_changed_lines(before, after)
        patch = unified(hunks, NAME)
        assert bool(patch) is (before != after)
        if patch:
            assert applied(repository, before, patch) == after


def test_nothing_differs_between_a_text_and_itself() -> None:
    assert hunks_of("one\n", "one\n") == []
    assert unified([], NAME) == ""


def test_a_hunk_has_three_lines_around_a_change() -> None:
    before = "".join(f"{n}\n" for n in range(1, 21))
    (hunk,) = hunks_of(before, before.replace("10\n", "ten\n"))
    assert (hunk.a_start, hunk.a_lines, hunk.b_start, hunk.b_lines) == (7, 7, 7, 7)
    assert [line.text for line in hunk.lines] == ["7", "8", "9", "10", "ten", "11", "12", "13"]
    assert [line.kind for line in hunk.lines[2:6]] == [
        LineKind.CONTEXT,
        LineKind.REMOVED,
        LineKind.ADDED,
        LineKind.CONTEXT,
    ]
    assert changed_lines([hunk]) == (1, 1)


def test_changes_near_each_other_share_a_hunk_and_distant_ones_do_not() -> None:
    before = "".join(f"{n}\n" for n in range(1, 31))
    near = hunks_of(before, before.replace("10\n", "ten\n").replace("17\n", "seventeen\n"))
    far = hunks_of(before, before.replace("10\n", "ten\n").replace("18\n", "eighteen\n"))
    assert (len(near), len(far)) == (1, 2)


def test_words_that_differ_are_marked_in_utf_16() -> None:
    (hunk,) = hunks_of("Say 😀 hello there\nend\n", "Say 😀 goodbye there\nend\n")
    removed, added = hunk.lines[:2]
    assert [in_utf16(removed.text, span.start, span.end) for span in removed.spans] == ["hello"]
    assert [in_utf16(added.text, span.start, span.end) for span in added.spans] == ["goodbye"]
    assert (removed.spans[0].start, removed.spans[0].end) == (7, 12)


def test_a_line_without_counterpart_has_no_marked_words() -> None:
    (hunk,) = hunks_of("one\n", "one\ntwo\n")
    assert [(line.kind, line.text, line.spans) for line in hunk.lines] == [
        (LineKind.CONTEXT, "one", ()),
        (LineKind.ADDED, "two", ()),
    ]


def test_a_newline_that_is_missing_is_said() -> None:
    (hunk,) = hunks_of("one\n", "one")
    assert [(line.kind, line.text, line.has_newline) for line in hunk.lines] == [
        (LineKind.REMOVED, "one", True),
        (LineKind.ADDED, "one", False),
    ]


def test_marked_words_stay_inside_their_lines_and_cover_all_that_differs(rng: Random) -> None:
    for _ in range(200):
        before = "".join(rng.choices(PIECES, k=rng.randint(1, 40)))
        for hunk in hunks_of(before, apply_edits(before, [random_edit(rng, before)])):
            check_spans(hunk)


def check_spans(hunk: Hunk) -> None:
    """What is left of the lines of a change without the marked words is the same on both sides."""
    kept = {LineKind.REMOVED: "", LineKind.ADDED: "", LineKind.CONTEXT: ""}
    for line in hunk.lines:
        place = 0
        for span in line.spans:
            assert place <= span.start < span.end
            kept[line.kind] += in_utf16(line.text, place, span.start)
            place = span.end
        length = len(line.text.encode("utf-16-le")) // 2
        assert place <= length
        kept[line.kind] += in_utf16(line.text, place, length)
    both = {line.kind for line in hunk.lines} >= {LineKind.REMOVED, LineKind.ADDED}
    if both and sum(hunk.lines[n].kind != hunk.lines[n - 1].kind for n in range(1, len(hunk.lines))) <= 3:
        assert kept[LineKind.REMOVED] == kept[LineKind.ADDED]


def test_very_different_large_texts_are_compared_in_bounded_time(rng: Random) -> None:
    before = "".join(rng.choices("ab \n", k=250_000))
    after = "".join(rng.choices("ab \n", k=250_000))
    hunks = hunks_of(before, after)
    added, removed = changed_lines(hunks)
    assert added <= after.count("\n") + 1
    assert removed <= before.count("\n") + 1
