"""Where data that were downloaded are kept."""

from __future__ import annotations

import os
from pathlib import Path

ENVIRONMENT_VARIABLE = "SKPERCEPTUAL_DATA"


def get_data_home(data_home: str | os.PathLike[str] | None = None) -> Path:
    """Give the folder in which downloaded data are kept.

    Nothing is written: the folder is made when the first data arrive.

    Parameters
    ----------
    data_home : path-like, default=None
        The folder; ``~`` stands for the user's own. None means what the environment variable
        ``SKPERCEPTUAL_DATA`` says, and ``~/skperceptual_data`` where it is not set.

    Returns
    -------
    Path
        The folder, as an absolute path.

    See Also
    --------
    fetch_pmqd : Keeps its data there.

    Examples
    --------
    >>> from skperceptual.datasets import get_data_home
    >>> get_data_home("/data").as_posix()
    '/data'
    """
    if data_home is None:
        data_home = os.environ.get(ENVIRONMENT_VARIABLE) or Path("~", "skperceptual_data")
    return Path(data_home).expanduser().absolute()
