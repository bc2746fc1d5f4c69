"""What a user did wrong, in words, and the exit codes."""

DONE, BAD_INPUT, USAGE, INTERRUPTED = 0, 1, 2, 130


class BadInput(ValueError):
    """An input that a command cannot use; the message says what to do."""
