"""A process that appends as fast as it can and says what was committed, until it is killed.

Started by the crash tests: ``python -m tests.persistence.appender URL PROMPT_ID USER_ID LABEL``. Each line on standard
output is a committed seq and the bytes that must stand there; each is written after its future resolved.
"""

import asyncio
import os
import sys
from uuid import UUID

from persistence.journal import Edit
from persistence.store import Store

WRITERS = 4


async def append_for_ever(store: Store, prompt_id: UUID, user_id: UUID, label: str) -> None:
    number = 0
    while True:
        number += 1
        update = f"{label}.{number}"
        seq = await store.journal.append(prompt_id, [Edit(update.encode(), user_id)])
        os.write(sys.stdout.fileno(), f"{seq} {update}\n".encode())


async def main(url: str, prompt: str, user: str, label: str) -> None:
    store = await Store.open(url)
    writers = [append_for_ever(store, UUID(prompt), UUID(user), f"{label}.{name}") for name in range(WRITERS)]
    await asyncio.gather(*writers)


if __name__ == "__main__":
    asyncio.run(main(*sys.argv[1:]))
