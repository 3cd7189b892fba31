"""Google's own maps of ViSQOL: downloaded when asked, and checked."""

from __future__ import annotations

import os
from pathlib import Path
from typing import NamedTuple

from skperceptual.full_reference.visqol.ratings import FOLDER, LATTICE_FILE
from skperceptual.utils._sklearn import StrOptions, validate_params
from skperceptual.utils.data_home import ENVIRONMENT_VARIABLE, get_data_home
from skperceptual.utils.downloads import download, is_intact


class _RemoteModel(NamedTuple):
    """What is known of a file before it is downloaded."""

    name: str
    size: int
    sha256: str


_ADDRESS = (
    "https://raw.githubusercontent.com/google/visqol/38d0b0163e441047d4429bf07ad09e5b9031d02c/model"
)
_MODELS = {
    "svr": _RemoteModel(
        "libsvm_nu_svr_model.txt",
        138_117,
        "1e8246ed33bf36dc5c859351f7110f2cd31f98661989715c0fcf974ec48d3e2e",
    ),
    "lattice": _RemoteModel(
        LATTICE_FILE,
        2_233_840,
        "4bd031d6c95594ae2cd1d471aa6611bff26b3bbf816528431ff1741bcd798dc6",
    ),
}


@validate_params(
    {
        "model": [StrOptions(set(_MODELS))],
        "data_home": [str, os.PathLike, None],
        "download_if_missing": ["boolean"],
        "verbose": ["verbose"],
    },
    prefer_skip_nested_validation=True,
)
def fetch_visqol_model(
    model: str = "svr",
    *,
    data_home: str | os.PathLike[str] | None = None,
    download_if_missing: bool = True,
    verbose: bool | int = 1,
) -> Path:
    """Download one of Google's own maps from similarities to ratings, for :class:`ViSQOL`.

    The files are those of google/visqol, commit 38d0b01, under the Apache License 2.0, and are
    checked against pinned SHA-256 before anything reads them. A file that is there already is
    used without a request.

    Parameters
    ----------
    model : {"svr", "lattice"}, default="svr"
        ``"svr"`` is the default map for audio, a support-vector regression (138 kB);
        ``"lattice"`` that for speech, a network (2.2 MB), which needs the extra ``visqol``.
    data_home : path-like, default=None
        The folder for data; see :func:`get_data_home`. Models go into its folder ``visqol``.
    download_if_missing : bool, default=True
        Whether to download what is not there; if not, that is an error.
    verbose : bool or int, default=1
        Whether to show a progress bar.

    Returns
    -------
    Path
        The file, for ``ViSQOL(model=...)``.

    Raises
    ------
    OSError
        The file is missing and not to be downloaded, or the download failed.

    See Also
    --------
    ViSQOL : The metric.

    Examples
    --------
    >>> from skperceptual import ViSQOL
    >>> from skperceptual.datasets import fetch_visqol_model
    >>> metric = ViSQOL(model=fetch_visqol_model())  # doctest: +SKIP
    >>> speech = ViSQOL(mode="speech", model=fetch_visqol_model("lattice"))  # doctest: +SKIP
    """
    remote = _MODELS[model]
    path = get_data_home(data_home) / FOLDER / remote.name
    if not download_if_missing:
        if is_intact(path, size=remote.size, sha256=remote.sha256):
            return path
        raise OSError(
            f"There is no {remote.name} with the expected SHA-256 in {path.parent}. Call "
            "fetch_visqol_model with download_if_missing=True to download it, or name the folder "
            f"that has it by data_home or the environment variable {ENVIRONMENT_VARIABLE}."
        )
    return download(
        f"{_ADDRESS}/{remote.name}", path, size=remote.size, sha256=remote.sha256, verbose=verbose
    )
