"""`promptroom export --git`: the versions of a whole project as one Git repository, the ids as in REST.

Every prompt is a branch `prompts/<slug>`, which is its chain of versions; its labels are tags `<slug>/<label>`. `main`
is a merge of all these branches, and holds the latest text of each prompt: `git log FILE` and `git blame FILE` work.
"""

from __future__ import annotations

import asyncio
import tempfile
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Final

from dulwich.objects import Commit, ObjectID, Tree
from dulwich.refs import Ref
from dulwich.repo import Repo

from server.credentials import Refused
from server.export import Exported, find_project, prompts_of
from server.history.git_objects import FILE_MODE, clean_message
from server.history.packing import pack_of
from server.workers import Workers

if TYPE_CHECKING:
    from collections.abc import Sequence

    from persistence.projects import Project
    from persistence.prompts import Prompt
    from persistence.store import Store
    from persistence.versions import Version

_BRANCH: Final = "refs/heads/prompts"
_TAG: Final = "refs/tags"
_MAIN: Final = b"refs/heads/main"
# Who made the merge: no person did.
_NOBODY: Final = b"Promptroom <export@users.promptroom>"


@dataclass(frozen=True, slots=True)
class _Branch:
    """A prompt with its latest version, and where its labels stand."""

    prompt: Prompt
    head: Version
    labels: dict[str, str]


async def export_repository(store: Store, project: str, directory: Path) -> Exported:
    """Makes a Git repository of every version of every prompt of a project, with `main` checked out.

    Arguments: `project` is an id, or a name in the first organization; `directory` is new or empty, and stays
    so unless all that belongs into it is there. Raises Refused, StoreUnavailable and StoreDamaged.
    """
    found = await find_project(store, project)
    branches, left_out = [], []
    async for prompt in prompts_of(store, found):
        # Before the versions: what a label names is then among them, whatever happens meanwhile.
        labels = {label.name: label.version_id for label in await store.labels.list(prompt.id)}
        head = await store.versions.latest(prompt.id)
        if head is None:
            left_out.append(prompt.name)
        else:
            branches.append(_Branch(prompt, head, labels))
    if not branches:
        raise Refused(f"no prompt of {found.name} has a version yet: leave --git out to write the texts as they stand")
    branches.sort(key=lambda branch: branch.prompt.slug)
    try:
        await _make(store, found, branches, _empty_place(directory))
    except OSError as error:
        raise Refused(f"{directory} cannot be written: {error.strerror}") from error
    return Exported(tuple(directory / _file_of(branch) for branch in branches), tuple(left_out))


def _empty_place(directory: Path) -> Path:
    """Answers the absolute path of a directory in which there is nothing; makes the one above it."""
    directory = directory.resolve()
    if directory.exists() and (not directory.is_dir() or any(directory.iterdir())):
        raise Refused(f"{directory} is not empty: a repository is made in a new directory")
    directory.parent.mkdir(parents=True, exist_ok=True)
    return directory


async def _make(store: Store, project: Project, branches: Sequence[_Branch], directory: Path) -> None:
    # Made beside its place and moved there at the end: nobody takes half a history for all of it.
    with tempfile.TemporaryDirectory(dir=directory.parent, prefix=".promptroom-export-") as beside:
        made = Path(beside) / "repository"
        with Repo.init(made, mkdir=True, default_branch=b"main") as repository:
            workers = Workers()
            try:
                for branch in branches:
                    await _add_versions(store, workers, repository, branch)
            finally:
                workers.close()
            await asyncio.to_thread(_finish, repository, project, branches)
        made.replace(directory)


async def _add_versions(store: Store, workers: Workers, repository: Repo, branch: _Branch) -> None:
    file, commit, abort = repository.object_store.add_pack()
    try:
        versions = pack_of(store.version_objects, workers, branch.prompt.id, after=0, upto=branch.head.number)
        async for piece in versions:
            file.write(piece)
    except BaseException:
        abort()
        raise
    await asyncio.to_thread(commit)


def _finish(repository: Repo, project: Project, branches: Sequence[_Branch]) -> None:
    """Makes `main`, the branches and the tags, and checks `main` out."""
    tree = Tree()
    for branch in branches:
        tree.add(_file_of(branch).encode(), FILE_MODE, ObjectID(branch.head.blob_id.encode()))
    merge = Commit()
    merge.tree = tree.id
    merge.parents = [ObjectID(branch.head.id.encode()) for branch in branches]
    merge.author = merge.committer = _NOBODY
    # Not now: who exports the same twice has the same twice.
    newest = max(branch.head.created_at for branch in branches)
    merge.author_time = merge.commit_time = int(newest.timestamp())
    merge.author_timezone = merge.commit_timezone = 0
    merge.message = f"{clean_message(f'Prompts of {project.name}')}\n".encode()
    repository.object_store.add_object(tree)
    repository.object_store.add_object(merge)
    for branch in branches:
        slug = branch.prompt.slug
        repository.refs[Ref(f"{_BRANCH}/{slug}".encode())] = ObjectID(branch.head.id.encode())
        for name, version_id in branch.labels.items():
            repository.refs[Ref(f"{_TAG}/{slug}/{name}".encode())] = ObjectID(version_id.encode())
    repository.refs[Ref(_MAIN)] = merge.id
    # The configuration of the repository alone: what the machine's says of line ends does not change texts.
    repository.get_worktree().reset_index(config=repository.get_config())


def _file_of(branch: _Branch) -> str:
    return f"{branch.prompt.slug}.prompt"
