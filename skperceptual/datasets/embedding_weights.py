"""Published weights of embeddings: downloaded when asked, and checked."""

from __future__ import annotations

import os
from pathlib import Path

from skperceptual.embeddings.weights.downloads import fetch_file
from skperceptual.embeddings.weights.registry import files_of
from skperceptual.utils._sklearn import StrOptions, validate_params

_WHERE = {
    "data_home": [str, os.PathLike, None],
    "download_if_missing": ["boolean"],
    "verbose": ["verbose"],
}


@validate_params(
    {"part": [StrOptions({"network", "pca"})], **_WHERE}, prefer_skip_nested_validation=True
)
def fetch_vggish_weights(
    part: str = "network",
    *,
    data_home: str | os.PathLike[str] | None = None,
    download_if_missing: bool = True,
    verbose: bool | int = 1,
) -> Path:
    """Download the weights of VGGish, as torchvggish converted them, for :class:`VGGish`.

    They are published under the Apache License 2.0, as Google's code, and checked against their
    SHA-256 before anything reads them. A file that is there already is used without a request.

    Parameters
    ----------
    part : {"network", "pca"}, default="network"
        ``"network"`` are the weights (289 MB); ``"pca"`` the constants of the post-processing
        (under 0.1 MB), of whose SHA-256 eight digits were published.
    data_home : path-like, default=None
        The folder for data; see :func:`get_data_home`. Weights go into its folder ``weights``,
        where :class:`VGGish` looks for them, unless ``data_home`` is given.
    download_if_missing : bool, default=True
        Whether to download what is not there; if not, that is an error.
    verbose : bool or int, default=1
        Whether to show a progress bar.

    Returns
    -------
    Path
        The file, for ``VGGish(weights=...)`` or ``VGGish(pca=...)``.

    Raises
    ------
    OSError
        The file is missing and not to be downloaded, or the download failed.

    See Also
    --------
    skperceptual.VGGish : The embedding.

    Examples
    --------
    >>> from skperceptual.datasets import fetch_vggish_weights
    >>> from skperceptual.embeddings import VGGish
    >>> embedding = VGGish(weights=fetch_vggish_weights())  # doctest: +SKIP
    """
    return fetch_file(
        files_of({"network": "vggish", "pca": "vggish_pca"}[part])[0],
        data_home=data_home,
        download_if_missing=download_if_missing,
        verbose=verbose,
    )


@validate_params(
    {
        "input_repr": [StrOptions({"linear", "mel128", "mel256"})],
        "content_type": [StrOptions({"music", "env"})],
        **_WHERE,
    },
    prefer_skip_nested_validation=True,
)
def fetch_openl3_weights(
    input_repr: str = "mel256",
    content_type: str = "music",
    *,
    data_home: str | os.PathLike[str] | None = None,
    download_if_missing: bool = True,
    verbose: bool | int = 1,
) -> Path:
    """Download the weights of OpenL3's audio network, for :class:`OpenL3`.

    They are published by their authors under CC BY 4.0, which asks you to name them (Cramer, Wu,
    Salamon and Bello, ICASSP 2019), and checked against the id that they have in OpenL3's
    repository before anything reads them. A file that is there already is used without a request.

    Parameters
    ----------
    input_repr : {"linear", "mel128", "mel256"}, default="mel256"
        What the network reads.
    content_type : {"music", "env"}, default="music"
        Which videos it was trained on.
    data_home : path-like, default=None
        The folder for data; see :func:`get_data_home`. Weights go into its folder ``weights``,
        where :class:`OpenL3` looks for them, unless ``data_home`` is given.
    download_if_missing : bool, default=True
        Whether to download what is not there; if not, that is an error.
    verbose : bool or int, default=1
        Whether to show a progress bar.

    Returns
    -------
    Path
        The file (about 17 MB), for ``OpenL3(weights=...)``, which needs the extra ``openl3`` to
        read it.

    Raises
    ------
    OSError
        The file is missing and not to be downloaded, or the download failed.

    See Also
    --------
    skperceptual.OpenL3 : The embedding.
    skperceptual.embeddings.convert_weights : Makes a file of it that needs no extra.

    Examples
    --------
    >>> from skperceptual.datasets import fetch_openl3_weights
    >>> from skperceptual.embeddings import OpenL3
    >>> weights = fetch_openl3_weights("mel128", "env")  # doctest: +SKIP
    >>> embedding = OpenL3(
    ...     input_repr="mel128", content_type="env", weights=weights
    ... )  # doctest: +SKIP
    """
    return fetch_file(
        files_of(f"openl3_{input_repr}_{content_type}")[0],
        data_home=data_home,
        download_if_missing=download_if_missing,
        verbose=verbose,
    )
