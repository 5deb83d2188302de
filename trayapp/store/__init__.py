"""Where it is kept: SQLite, and a few files of our own beside it."""
