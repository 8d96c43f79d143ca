"""Errors that a user can act on: one line, what was expected, what came, what to do."""

__all__ = ["RamrecError", "UsageError"]


class RamrecError(Exception):
    """The work could not be done. The command line prints the message and exits with ``exit_code``."""

    exit_code = 1


class UsageError(RamrecError):
    """The request itself was wrong: unknown film, bad option, missing file."""

    exit_code = 2
