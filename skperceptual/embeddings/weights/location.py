"""Where files of weights are looked for."""

from __future__ import annotations

import os
from pathlib import Path

from skperceptual.embeddings.weights.registry import files_of
from skperceptual.utils.data_home import ENVIRONMENT_VARIABLE as DATA_VARIABLE, get_data_home

ENVIRONMENT_VARIABLE = "SKPERCEPTUAL_WEIGHTS_DIR"
_FOLDER = "weights"


class MissingWeightsError(FileNotFoundError):
    """The weights of a model are not on this machine; the message says how they get there.

    Examples
    --------
    >>> from skperceptual.embeddings.weights import MissingWeightsError
    >>> issubclass(MissingWeightsError, FileNotFoundError)
    True
    """


def weights_home(data_home: str | os.PathLike[str] | None = None) -> Path:
    """Give the folder into which weights are downloaded.

    Parameters
    ----------
    data_home : path-like, default=None
        The folder for data; see :func:`skperceptual.datasets.get_data_home`.

    Returns
    -------
    Path
        Its folder ``weights``.

    Examples
    --------
    >>> from skperceptual.embeddings.weights import weights_home
    >>> weights_home("/data").as_posix()
    '/data/weights'
    """
    return get_data_home(data_home) / _FOLDER


def locate(model: str, weights: str | os.PathLike[str] | None, *, fetch: str) -> Path:
    """Find the file of weights: where the user says, or in the two usual folders.

    Parameters
    ----------
    model : str
        What it is for.
    weights : path-like or None
        The file; None looks for ``<model>.npz``, and then for the published ones, in the folder
        that the environment variable ``SKPERCEPTUAL_WEIGHTS_DIR`` names, and then the same in
        :func:`weights_home`.
    fetch : str
        The call that downloads it, for the message.

    Returns
    -------
    Path
        A file that exists.

    Raises
    ------
    MissingWeightsError
        When there is none. Nothing is downloaded.
    """
    if weights is not None:
        path = Path(weights).expanduser()
        if not path.is_file():
            raise MissingWeightsError(
                f"There is no file of weights at {path}. {_how(model, fetch)}"
            )
        return path.absolute()
    named = os.environ.get(ENVIRONMENT_VARIABLE)
    folders = [Path(named).expanduser()] if named else []
    folders.append(weights_home())
    # Who converted a file wants it used, and may have left the published one beside it.
    names = [f"{model}.npz", *(file.name for file in files_of(model))]
    for folder in folders:
        for name in names:
            if (folder / name).is_file():
                return (folder / name).absolute()
    looked = " and ".join(map(str, folders))
    raise MissingWeightsError(
        f"The weights of {model} are not part of this package, and not in {looked}. "
        f"{_how(model, fetch)}"
    )


def _how(model: str, fetch: str) -> str:
    file = files_of(model)[0]
    return (
        f"The file is {file.name}, from {file.url} ({file.identity()}; licence: {file.licence}). "
        f"Call {fetch} to download it; or put it, under that name, into {weights_home()} (folder "
        f"'{_FOLDER}' of {DATA_VARIABLE}) or into a folder that {ENVIRONMENT_VARIABLE} names; or "
        "give its path as a parameter."
    )
