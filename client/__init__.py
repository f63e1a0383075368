"""Clients of a Promptroom server.

- ``client.peer``: edits a prompt together with others;
- ``client.prompts``, and ``client.blocking`` for programs without an event loop: reads prompts by label or version;
- ``client/web``: the browser's.
"""
