"""The command line: `promptroom serve`, `migrate`, `token`, `link`, `fsck`, `export`, `import`.

What goes wrong is one line on standard error: exit code 2 for a setting or an argument, 1 for anything else. What a
command is asked for stands alone on standard output, so that `TOKEN=$(promptroom token …)` works.
"""

from __future__ import annotations

import asyncio
import re
import sys
from collections.abc import AsyncIterator, Coroutine, Iterator, Sequence
from contextlib import asynccontextmanager, contextmanager
from pathlib import Path
from typing import Annotated, Any, Final

import typer
from rich.console import Console

from persistence.errors import NotFound, StoreError
from persistence.store import OpenMode, Store, migrate
from server import credentials
from server.access import Role
from server.credentials import Refused
from server.limits import MAX_TOKEN_SECONDS
from server.settings import SettingError, Settings
from server.telemetry import configure_logging, redact_text

_UNITS: Final = {"": 1, "s": 1, "m": 60, "h": 3600, "d": 86_400}
_DURATION: Final = re.compile(r"(\d{1,9})([smhd]?)", re.ASCII)
_BAD_SETTING: Final = 2
_FAILED: Final = 1

app = typer.Typer(
    name="promptroom",
    help="Edit prompts together, with every edit stored before it is seen.",
    no_args_is_help=True,
    add_completion=False,
    pretty_exceptions_enable=False,
)


def main(arguments: Sequence[str] | None = None) -> None:
    """Runs a command; `arguments` are the process's own where they are None. Ends the process."""
    app(args=list(arguments) if arguments is not None else None, prog_name="promptroom")


@app.command()
def serve(
    host: Annotated[str | None, typer.Option(help="Where to listen (HOST, default 127.0.0.1).")] = None,
    port: Annotated[int | None, typer.Option(help="On which port (PORT, default 8000; 0: any free one).")] = None,
) -> None:
    """Run the server, and print a one-use sign-in link."""
    with _readable_errors():
        settings = Settings.from_environment(host=host, port=port)
        # Imported here: the other commands start in half the time without the web framework.
        from server.serving import PortUnavailable  # noqa: PLC0415
        from server.serving import serve as run  # noqa: PLC0415

        try:
            run(settings)
        except PortUnavailable as error:
            raise Refused(str(error)) from error


@app.command("migrate")
def migrate_command() -> None:
    """Bring the database to the newest schema."""
    with _readable_errors():
        _run(migrate(_settings().database_url))
    Console(soft_wrap=True).print("The database has the newest schema.")


@app.command()
def token(
    email: Annotated[str, typer.Option(help="Whose token.")],
    role: Annotated[
        Role | None, typer.Option(help="At most this role; for a created user, theirs (default editor).")
    ] = None,
    ttl: Annotated[str, typer.Option(help="How long it holds: 90s, 30m, 1h, 7d.")] = "1h",
    create: Annotated[bool, typer.Option("--create", help="Create the user if there is none.")] = False,  # noqa: FBT002
) -> None:
    """Print an access token. Works while the server runs."""
    with _readable_errors():
        settings, seconds = _settings(), read_duration(ttl)

        async def work() -> str:
            async with _store(settings) as store:
                return await credentials.access_token(
                    settings, store, email=email, role=role, ttl=seconds, create=create
                )

        print(_run(work()))  # noqa: T201 - what was asked for


@app.command()
def link(email: Annotated[str | None, typer.Option(help="Whose link; the first owner's by default.")] = None) -> None:
    """Print a one-use sign-in link, good for an hour. Works while the server runs."""
    with _readable_errors():
        settings = _settings()

        async def work() -> str:
            async with _store(settings) as store:
                return await credentials.sign_in_link(settings, store, email=email)

        print(_run(work()))  # noqa: T201 - what was asked for


@app.command()
def fsck() -> None:
    """Verify what is stored; name the first bad row of each prompt. Exit code 1 if there is any."""
    from server.fsck import check_everything  # noqa: PLC0415 - as in serve

    with _readable_errors():
        settings = _settings()

        async def work() -> list[str]:
            async with _store(settings) as store:
                return await check_everything(store)

        findings: list[str] = _run(work())
    console = Console(soft_wrap=True, highlight=False)
    for finding in findings:
        console.print(finding, markup=False)
    if findings:
        console.print(f"{len(findings)} problem{'s' if len(findings) > 1 else ''} found.")
        raise typer.Exit(_FAILED)
    console.print("Everything that is stored is sound.")


@app.command()
def export(
    project: Annotated[str, typer.Argument(help="A project's name or id.")],
    directory: Annotated[Path, typer.Argument(help="Where the files go; it is made if need be.", file_okay=False)],
    ref: Annotated[
        str,
        typer.Option(help="Which text of each prompt: a label, `latest`, or `live`; prompts without it are left out."),
    ] = "live",
    git: Annotated[  # noqa: FBT002
        bool, typer.Option("--git", help="Make a Git repository with every version, the labels as tags.")
    ] = False,
) -> None:
    """Write the prompts of a project as `.prompt` files. Works while the server runs."""
    from server.export import Exported, export_project  # noqa: PLC0415 - as in serve
    from server.export_repository import export_repository  # noqa: PLC0415

    with _readable_errors():
        if git and ref != "live":
            raise typer.BadParameter("--ref says which text to write; --git writes every version: leave one out")
        settings = _settings()

        async def work() -> Exported:
            async with _store(settings) as store:
                if git:
                    return await export_repository(store, project, directory)
                return await export_project(store, project, directory, ref=ref)

        exported: Exported = _run(work())
    console = Console(soft_wrap=True, highlight=False)
    for name in exported.left_out:
        console.print(f"{name} has no {'version' if git else ref}: left out.", markup=False)
    count = len(exported.written)
    console.print(f"{count} prompt{' is' if count == 1 else 's are'} in {directory}.", markup=False)


@app.command("import")
def import_command(
    directory: Annotated[Path, typer.Argument(help="Where the `.prompt` files are.")],
    project: Annotated[
        str | None, typer.Option(help="The project they go into, made if need be; by default named as the directory.")
    ] = None,
) -> None:
    """Create prompts of `.prompt` files, or of an exported repository. Works while the server runs."""
    from server.import_files import Imported, import_files  # noqa: PLC0415 - as in serve
    from server.import_repository import import_repository, is_exported  # noqa: PLC0415

    with _readable_errors():
        settings = _settings()
        wanted = directory.resolve().name if project is None else project

        async def work() -> Imported:
            async with _store(settings) as store:
                take = import_repository if is_exported(directory) else import_files
                return await take(store, directory, project=wanted)

        imported: Imported = _run(work())
    count = len(imported.names)
    line = f"{count} prompt{' is' if count == 1 else 's are'} in the project {imported.project.name}."
    Console(soft_wrap=True, highlight=False).print(line, markup=False)


def read_duration(text: str) -> float:
    """Answers seconds for `90s`, `30m`, `1h`, `7d` or a plain number of seconds. Raises typer.BadParameter."""
    found = _DURATION.fullmatch(text.strip())
    seconds = int(found[1]) * _UNITS[found[2]] if found else 0
    if not 0 < seconds <= MAX_TOKEN_SECONDS:
        raise typer.BadParameter(f"--ttl is {text!r}; it should be such as 90s, 30m, 1h or 7d, at most 366d")
    return float(seconds)


def _settings() -> Settings:
    settings = Settings.from_environment()
    configure_logging(level="warning", log_format=settings.log_format)
    return settings


def _run(work: Coroutine[Any, Any, Any]) -> Any:  # noqa: ANN401 - what the coroutine answers
    return asyncio.run(work)


@asynccontextmanager
async def _store(settings: Settings) -> AsyncIterator[Store]:
    store = await Store.open(settings.database_url, mode=OpenMode.COMMAND)
    try:
        yield store
    finally:
        await store.close()


@contextmanager
def _readable_errors() -> Iterator[None]:
    try:
        yield
    except SettingError as error:
        # What it should be shows where a password stands: that is no secret, and has to be read.
        _complain(f"{error.name} {error.what}", f"; it should be {error.should}")
        raise typer.Exit(_BAD_SETTING) from error
    except typer.BadParameter as error:
        _complain(error.message)
        raise typer.Exit(_BAD_SETTING) from error
    except (Refused, NotFound, StoreError) as error:
        _complain(str(error))
        raise typer.Exit(_FAILED) from error
    except KeyboardInterrupt as error:
        raise typer.Exit(130) from error


def _complain(message: str, advice: str = "") -> None:
    line = " ".join(f"{redact_text(message)}{advice}".split())
    Console(file=sys.stderr, soft_wrap=True, highlight=False).print(f"promptroom: {line}", style="red", markup=False)
