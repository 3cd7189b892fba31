"""Optional dependencies: imported at first use, named with the extra that brings them."""

from __future__ import annotations

import importlib
from types import ModuleType


def import_optional(module: str, *, extra: str, purpose: str) -> ModuleType:
    """Import an optional dependency or say how to get it.

    Parameters
    ----------
    module : str
        The module's dotted name.
    extra : str
        The extra of this package that installs it.
    purpose : str
        What needs it, as the subject of a sentence (``"DivisiveNormDisplay.plot"``).

    Returns
    -------
    module
        The imported module.

    Raises
    ------
    ImportError
        When it is not installed; the message names the extra.
    """
    try:
        return importlib.import_module(module)
    except ImportError as error:
        raise ImportError(
            f"{purpose} needs {module.split('.', maxsplit=1)[0]}, which is not installed. "
            f"Install it with: pip install 'skperceptual[{extra}]'"
        ) from error
