"""From a published file of weights to one that needs neither h5py nor a pickle."""

from __future__ import annotations

import os
from pathlib import Path

from skperceptual.embeddings.weights.identity import verify
from skperceptual.embeddings.weights.loading import load_weights, save_weights
from skperceptual.embeddings.weights.registry import FILES
from skperceptual.embeddings.weights.shapes import shapes_of


def convert_weights(
    source: str | os.PathLike[str],
    target: str | os.PathLike[str],
    *,
    model: str | None = None,
) -> Path:
    """Convert a file of weights to ``.npz``, which opens faster and needs neither pickle nor h5py.

    Parameters
    ----------
    source : path-like
        A file of VGGish (``.pth``) or of OpenL3 (``.h5`` or ``.h5.gz``). It is checked as if it
        were to be used.
    target : path-like
        The file to write, which ends in ``.npz``. As ``<model>.npz`` in a folder that is searched
        for weights, it is found there.
    model : {"vggish", "vggish_pca", "openl3_mel256_music", ...}, default=None
        What it is for: ``"openl3_"``, the representation and ``"_music"`` or ``"_env"``. None
        takes it from the name of a published file.

    Returns
    -------
    Path
        The file that was written. It holds the model's name and the SHA-256 of its source.

    Raises
    ------
    FileNotFoundError
        When there is no such file.
    ValueError
        When the model is not known, or the file is not what it should be.

    Examples
    --------
    >>> from skperceptual.embeddings import convert_weights
    >>> convert_weights(
    ...     "openl3_audio_mel256_music-v0_4_0.h5.gz", "openl3_mel256_music.npz"
    ... )  # doctest: +SKIP
    """
    source = Path(source).expanduser().absolute()
    if model is None:
        named = [file.model for file in FILES if file.name == source.name]
        if not named:
            raise ValueError(
                f"{source.name} is not the name of a published file. Say what it is for by "
                "model='vggish', model='openl3_mel256_music' and so on."
            )
        model = named[0]
    shapes = shapes_of(model)
    if not source.is_file():
        raise FileNotFoundError(f"There is no file of weights at {source}.")
    arrays = load_weights(source, model, shapes)
    digests, _ = verify(source, model)
    return save_weights(target, arrays, model=model, source_sha256=digests.sha256)
