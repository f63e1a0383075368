"""Clients of a Promptroom server: the Python one in ``client.peer``, the browser's in ``client/web``."""
