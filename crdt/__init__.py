"""The protocol and the document, pure and synchronous: no I/O, no clock of its own, no database.

Bytes come in, values and bytes go out.  Nothing here imports another package of the project, so
the server, the Python client, the load generator and the tests all stand on the same code.
"""
