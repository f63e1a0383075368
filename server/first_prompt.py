"""What a new database holds besides its owner: one prompt that is worth editing."""

from __future__ import annotations

from contextlib import suppress
from random import SystemRandom
from typing import TYPE_CHECKING, Final

from crdt.document import initial_state, new_client_id
from persistence.errors import Conflict

if TYPE_CHECKING:
    from persistence.bootstrap import Bootstrap
    from persistence.store import Store

NAME: Final = "Support reply"
CONTENT: Final = """\
---
model: anthropic/claude-sonnet-4-5
config:
  temperature: 0.3
  maxOutputTokens: 800
input:
  schema:
    product: string, what the customer uses
    customer: string, how to address them
    message: string, what they wrote
    facts?(array, what we know for certain): string
    tone?(enum, how to sound): [warm, plain, formal]
  default:
    product: Acme Notes
    tone: warm
output:
  format: json
  schema:
    category(enum, what it is about): [question, bug, billing, praise]
    urgency: integer, from 1 (any time) to 5 (now)
    reply: string, the answer to send
---
{{role "system"}}
You answer support mail for {{product}}. Sound {{tone}}, write to one person, and stay under 120 words.

- Say only what the facts below support. If they do not answer the question, say what you will find out.
- Quote no policy and promise no date.
- A customer who is upset hears first that you understood, and then what happens next.

{{#if facts}}
Facts:
{{#each facts}}
- {{this}}
{{/each}}
{{else}}
There are no facts for this case yet.
{{/if}}

{{role "user"}}
Hello, my name is {{customer}}.

{{message}}
"""


async def ensure_first_prompt(store: Store, home: Bootstrap) -> None:
    """Creates the first prompt where the organization never had one; a deleted one counts.

    Of nodes that start at once, one does. Raises persistence.errors.StoreUnavailable.
    """
    client_id = new_client_id(SystemRandom())
    with suppress(Conflict):
        await store.prompts.create(
            organization_id=home.organization.id,
            project_id=home.project.id,
            name=NAME,
            state=initial_state(CONTENT, client_id),
            client_id=client_id,
            user_id=home.owner.id,
            only_first=True,
        )
