"""The error that ends a command with a message."""

from __future__ import annotations

__all__ = ["CommandError"]


class CommandError(Exception):
    """Something that the user can put right; it is told in one line, without a traceback.

    Examples
    --------
    >>> from skperceptual.cli.errors import CommandError
    >>> raise CommandError("The table is empty.")
    Traceback (most recent call last):
    skperceptual.cli.errors.CommandError: The table is empty.
    """
