"""Lists and numbers in what users are told, and the line of theirs that a warning names."""

from __future__ import annotations

import sys
import warnings
from collections.abc import Collection, Iterable

_LINES = 20
_IN_A_LINE = 10
# Whose lines a warning should not name.
_INNER = ("skperceptual", "sklearn", "joblib")


def as_list(entries: Collection[object], things: str) -> str:
    """Give the first of many entries, one a line, and the number of the others.

    Parameters
    ----------
    entries : collection
        What to list.
    things : str
        What the entries are, in the plural.

    Returns
    -------
    str
        Indented lines.

    Examples
    --------
    >>> from skperceptual.utils.messages import as_list
    >>> print(as_list(["a.wav", "b.wav"], "files"))
      a.wav
      b.wav
    """
    lines = [f"  {entry}" for entry in list(entries)[:_LINES]]
    if len(entries) > _LINES:
        lines.append(f"  and {len(entries) - _LINES} more {things}")
    return "\n".join(lines)


def in_a_line(entries: Iterable[object]) -> str:
    """Give the first of many entries, with commas between them, and the number of the others.

    Parameters
    ----------
    entries : iterable
        What to list.

    Returns
    -------
    str
        Words for a sentence.

    Examples
    --------
    >>> from skperceptual.utils.messages import in_a_line
    >>> in_a_line(range(12))
    '0, 1, 2, 3, 4, 5, 6, 7, 8, 9 and 2 more'
    """
    words = [str(entry) for entry in entries]
    more = f" and {len(words) - _IN_A_LINE} more" if len(words) > _IN_A_LINE else ""
    return ", ".join(words[:_IN_A_LINE]) + more


def counted(number: int, thing: str) -> str:
    """Give a number with its noun.

    Parameters
    ----------
    number : int
        How many there are.
    thing : str
        One of them.

    Returns
    -------
    str
        The number, and the noun in the singular or the plural.

    Examples
    --------
    >>> from skperceptual.utils.messages import counted
    >>> counted(1, "pair"), counted(2, "pair")
    ('1 pair', '2 pairs')
    """
    return f"{number} {thing if number == 1 else thing + 's'}"


def warn_caller(message: str, category: type[Warning] = UserWarning) -> None:
    """Warn in the name of the line outside this package and scikit-learn that led here.

    For warnings that several public methods give, at several depths.

    Parameters
    ----------
    message : str
        What to say.
    category : type, default=UserWarning
        The kind of warning.

    Examples
    --------
    >>> import warnings
    >>> from skperceptual.utils.messages import warn_caller
    >>> with warnings.catch_warnings(record=True) as caught:
    ...     warnings.simplefilter("always")
    ...     warn_caller("look here")
    >>> str(caught[0].message)
    'look here'
    """
    level, frame = 1, sys._getframe()
    while frame.f_back and frame.f_globals.get("__name__", "").partition(".")[0] in _INNER:
        level, frame = level + 1, frame.f_back
    warnings.warn(message, category, stacklevel=level)
