"""A comparison as one page that needs nothing else: every number in a table, a picture beside it."""
