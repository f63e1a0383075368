"""A session of two authors, kept key by key: the model that made it, the recording, and who reads it."""
