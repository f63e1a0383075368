"""What is kept: asynchronous, over SQLite or PostgreSQL, and of bytes it never interprets.

Ask ``persistence.store`` for a store, and ``persistence.errors`` for what it refuses.
"""
