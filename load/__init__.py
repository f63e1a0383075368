"""Load: simulated editors in one process, the server in another, and what was measured."""
