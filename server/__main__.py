"""`python -m server` serves; with arguments it is `promptroom`."""

from __future__ import annotations

import sys

from server.cli import main

main(sys.argv[1:] or ["serve"])
