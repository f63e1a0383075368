"""axe-core, run in an open page (https://github.com/dequelabs/axe-core)."""

from typing import Any

from playwright.async_api import Page

from tests.support.node import PEERS

_SOURCE = PEERS / "node_modules" / "axe-core" / "axe.min.js"
_SERIOUS = {"serious", "critical"}


async def violations(page: Page) -> list[str]:
    """Return what keeps people from using the page as it is now, one line for each element.

    Args:
        page: Looked at as a whole, in the theme that it shows.
    """
    if not await page.evaluate("'axe' in window"):
        # By the debugger, because the page's policy lets no foreign script in.
        await page.evaluate(_SOURCE.read_text())
    found: list[dict[str, Any]] = await page.evaluate(
        "axe.run(document, { resultTypes: ['violations'] }).then(({ violations }) => violations)"
    )
    return [
        f"{rule['id']} ({rule['impact']}): {rule['help']}: {node['html']} {node.get('failureSummary', '')}"
        for rule in found
        if rule["impact"] in _SERIOUS
        for node in rule["nodes"]
    ]
