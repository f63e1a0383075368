"""Ending a connection without a word, as a cable that is pulled out does."""

from websockets.asyncio.connection import Connection


def cut(connection: Connection) -> None:
    """Abort the connection, if it is still there."""
    # A transport that has written its last bytes and closed has no event loop any more, which its abort trips over.
    if not connection.connection_lost_waiter.done():
        connection.transport.abort()
