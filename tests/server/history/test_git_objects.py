"""Blobs, trees and commits are what a real Git makes of the same text, people and time."""

import os
import random
import subprocess
from dataclasses import dataclass
from pathlib import Path
from uuid import UUID

import pytest

from server.history.git_objects import Signature, blob_id, blob_of, make_commit, tree_of

NOBODYS_ID = UUID(int=7)
SECONDS = 1_800_000_000
TEXTS = [
    "",
    "\n",
    "Hello",
    "Say 😀 to {{name}}\n",
    "zero \0 byte",
    "a\tb\n\n\nc",
    "é e\u0301 \u2028 \u202e\n",
    "x" * 70_000,
]
NAMES = [
    "Ada",
    "Ada Lovelace",
    "Größe 😀",
    "Ada <ada@evil>",
    "  Ada\n",
    "Ada, Countess;",
    "'\"Ada\"'",
    "O'Neil",
    "a.b",
    "<>",
]
LETTERS = "aZ é😀<>\n,:;\"'\\- \t"


@dataclass
class Git:
    """A real Git with an empty repository."""

    directory: Path

    def run(self, *arguments: str, stdin: bytes = b"", **environment: str) -> str:
        """Run one command and answer what it prints."""
        own = {"PATH": os.environ["PATH"], "GIT_CONFIG_NOSYSTEM": "1", "HOME": str(self.directory)}
        done = subprocess.run(
            ["git", *arguments],  # noqa: S607 - git is what makes a checkout
            cwd=self.directory,
            input=stdin,
            capture_output=True,
            env=own | environment,
            check=False,
        )
        assert done.returncode == 0, done.stderr
        return done.stdout.decode().rstrip("\n")

    def commit(self, tree: str, parent: str | None, author: Signature, message: bytes) -> str:
        """Make a commit as `git commit` does, and answer its id."""
        people: dict[str, str] = {}
        for role in ("AUTHOR", "COMMITTER"):
            people |= {f"GIT_{role}_NAME": author.name, f"GIT_{role}_EMAIL": author.email}
            people |= {f"GIT_{role}_DATE": f"{SECONDS} +0000"}
        parents = [] if parent is None else ["-p", parent]
        return self.run("commit-tree", tree, *parents, stdin=message, **people)


@pytest.fixture
def git(tmp_path: Path) -> Git:
    git = Git(tmp_path)
    git.run("init", "--quiet", "--initial-branch=main")
    return git


@pytest.mark.parametrize("text", TEXTS)
def test_a_blob_has_the_id_that_git_gives_it(git: Git, text: str) -> None:
    assert blob_id(text) == git.run("hash-object", "--stdin", stdin=text.encode())
    assert blob_of(text).as_raw_string() == text.encode()


def test_a_tree_has_the_id_that_git_gives_it(git: Git) -> None:
    blob = git.run("hash-object", "-w", "--stdin", stdin=b"Hello")
    listing = f"100644 blob {blob}\tgreeting-2.prompt\n"
    assert tree_of("greeting-2.prompt", blob).id.decode() == git.run("mktree", stdin=listing.encode())


def test_a_history_is_what_git_makes_of_it_and_clean(git: Git, rng: random.Random) -> None:
    parent = None
    for number, text in enumerate([*TEXTS, *("".join(rng.choices(LETTERS, k=50)) for _ in range(12))], 1):
        author, *others = (Signature.of(NOBODYS_ID, rng.choice(NAMES), None) for _ in range(rng.randint(1, 4)))
        made = make_commit(
            path="greeting.prompt",
            blob=git.run("hash-object", "-w", "--stdin", stdin=text.encode()),
            parent_id=parent,
            author=author,
            co_authors=others,
            message=f"Version {number}: 😀\r\n\r\nwith a body \n",
            seq=number,
            seconds=SECONDS,
        )
        trailers = "".join(f"Co-authored-by: {each}\n" for each in others) + f"Promptroom-Seq: {number}\n"
        message = f"Version {number}: 😀\n\nwith a body\n\n{trailers}"
        tree = git.run("mktree", stdin=f"100644 blob {made.blob_id}\tgreeting.prompt\n".encode())
        assert made.tree_id == tree
        assert made.id == git.commit(tree, parent, author, message.encode())
        assert made.data.decode() == git.run("cat-file", "commit", made.id) + "\n"
        said = git.run("log", "-1", "--format=%(trailers:only,key=Co-authored-by,valueonly)", made.id)
        assert said.splitlines() == [str(each) for each in others]
        parent = made.id
    assert parent is not None
    git.run("update-ref", "refs/heads/main", parent)
    assert git.run("fsck", "--strict", "--full", "--no-dangling") == ""


def test_names_are_cleaned_as_git_cleans_them(git: Git, rng: random.Random) -> None:
    # A full stop at an end is left out of this: versions of Git differ about it.
    for name in [*NAMES, *("".join(rng.choices(LETTERS, k=rng.randint(1, 12))) for _ in range(60))]:
        ours = Signature.of(NOBODYS_ID, name, f"{name}@example.org")
        if ours.name != "unknown":
            email = f"{name}@example.org"
            said = git.run("var", "GIT_AUTHOR_IDENT", GIT_AUTHOR_NAME=name, GIT_AUTHOR_EMAIL=email)
            assert said.rpartition(" ")[0].rpartition(" ")[0] == str(ours)


@pytest.mark.parametrize("name", ["", " ", "\n", "<>", "...", "\0", "' \"", "<,>"])
def test_a_name_of_which_nothing_is_left_is_unknown(name: str) -> None:
    assert Signature.of(NOBODYS_ID, name, None).name == "unknown"


def test_who_has_no_address_gets_one_that_nobody_has() -> None:
    assert str(Signature.of(NOBODYS_ID, "Ada", None)) == f"Ada <{NOBODYS_ID}@users.promptroom>"
    assert str(Signature.of(NOBODYS_ID, "Ada", "ada@example.org")) == "Ada <ada@example.org>"
    assert str(Signature.of(NOBODYS_ID, "Ada", "<a>@b\n")) == "Ada <a@b>"
