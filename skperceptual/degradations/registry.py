"""Degradations by name: every class of the package that can be made without further thought."""

from __future__ import annotations

import difflib
import importlib
import inspect
import re
from typing import Any

from skperceptual.degradations.base import Degradation

__all__ = ["degradation_names", "get_degradation"]

_PACKAGE = "skperceptual.degradations"
# Between a small letter or digit and a capital, and before the last of several capitals.
_WORD_BOUNDARY = re.compile(r"(?<=[a-z0-9])(?=[A-Z])|(?<=[A-Z])(?=[A-Z][a-z])")


def degradation_names() -> list[str]:
    """Give the names of all degradations of the package.

    Returns
    -------
    list of str
        In alphabetical order. A name is that of the class in small letters, its words joined by
        underscores.

    See Also
    --------
    get_degradation : Makes one of them.

    Examples
    --------
    >>> from skperceptual.degradations import degradation_names
    >>> [name for name in degradation_names() if name.startswith("pmqd")]
    ['pmqd_distortion', 'pmqd_limiter', 'pmqd_lowpass', 'pmqd_noise']
    """
    return sorted(_classes())


def get_degradation(name: str, **parameters: Any) -> Degradation:
    """Make a degradation by its name, for tables and configuration files.

    Parameters
    ----------
    name : str
        One of :func:`degradation_names`.
    **parameters : Any
        What its class takes, such as ``severity``, its physical parameter, or ``sr``.

    Returns
    -------
    Degradation
        A new one.

    Raises
    ------
    ValueError
        When no degradation has this name.
    TypeError
        When the degradation lacks one of the parameters.

    See Also
    --------
    degradation_names : What there is.

    Examples
    --------
    >>> from skperceptual.degradations import get_degradation
    >>> get_degradation("pmqd_lowpass", severity=0.2, sr=44100)
    PMQDLowpass(severity=0.2, sr=44100)
    """
    classes = _classes()
    if name not in classes:
        near = difflib.get_close_matches(str(name).lower(), classes, n=3)
        advice = f"Did you mean {' or '.join(map(repr, near))}? " if near else ""
        raise ValueError(
            f"No degradation is called {name!r}. {advice}There are {', '.join(sorted(classes))}."
        )
    cls = classes[name]
    # Its constructor spells them out, and has no **kwargs that would swallow a wrong one.
    allowed = list(inspect.signature(cls).parameters)
    if unknown := [parameter for parameter in parameters if parameter not in allowed]:
        raise TypeError(
            f"{cls.__name__} has no parameter {unknown[0]!r}. It takes {', '.join(allowed)}."
        )
    return cls(**parameters)


def _classes() -> dict[str, type[Degradation]]:
    """Give what the package exports: no list beside it could forget one."""
    package = importlib.import_module(_PACKAGE)
    public = (getattr(package, name) for name in package.__all__)
    return {
        _WORD_BOUNDARY.sub("_", cls.__name__).lower(): cls
        for cls in public
        if inspect.isclass(cls)
        and issubclass(cls, Degradation)
        and hasattr(cls, "physical_parameter")  # the base has none
    }
