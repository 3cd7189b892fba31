"""What a metric does before it embeds: bring clips to the rate and length that are read."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Any

import numpy as np
from numpy.typing import NDArray

from skperceptual.embeddings.frames import check_axes, check_frames
from skperceptual.utils.messages import counted, in_a_line, warn_caller
from skperceptual.utils.resampling import resample


def prepare_clips(
    clips: Sequence[NDArray[np.floating]], *, sr: int, embedding: Any
) -> list[NDArray[np.floating]]:
    """Resample clips to an embedding's rate and fill short ones with zeros at their end.

    Parameters
    ----------
    clips : sequence of ndarray of shape (n_times_i,)
        Signals at ``sr``, checked before.
    sr : int
        Their sampling rate in Hz.
    embedding : Embedding
        Its ``sr`` and ``min_samples`` are read.

    Returns
    -------
    list of ndarray
        Signals at ``embedding.sr``, of ``embedding.min_samples`` samples at least.

    Warns
    -----
    UserWarning
        Once, when clips are filled with zeros.

    Examples
    --------
    >>> import numpy as np
    >>> from skperceptual.embeddings import FunctionEmbedding
    >>> from skperceptual.embeddings.signals import prepare_clips
    >>> embedding = FunctionEmbedding(np.atleast_2d, sr=8000, min_samples=100)
    >>> [len(clip) for clip in prepare_clips([np.ones(400)], sr=16000, embedding=embedding)]
    [200]
    """
    prepared = []
    short = []
    for row, clip in enumerate(clips):
        clip = resample(clip, sr, embedding.sr)
        if len(clip) < embedding.min_samples:
            short.append(row)
            clip = np.pad(clip, (0, embedding.min_samples - len(clip)))
        prepared.append(clip)
    if short:
        warn_caller(
            f"{counted(len(short), 'clip')} of {len(prepared)} (number {in_a_line(short)}) "
            f"{'is' if len(short) == 1 else 'are'} shorter than the "
            f"{embedding.min_samples / embedding.sr:.4g} s that {type(embedding).__name__} reads "
            "at least, and filled with zeros. Their frames hold silence; give longer clips."
        )
    return prepared


def embed_clips(
    clips: Sequence[NDArray[np.floating]], *, sr: int, embedding: Any
) -> list[NDArray[np.floating]]:
    """Embed clips one by one, after they were brought to the embedding's rate and length.

    Parameters
    ----------
    clips : sequence of ndarray of shape (n_times_i,)
        Signals at ``sr``, checked before.
    sr : int
        Their sampling rate in Hz.
    embedding : Embedding
        An embedding, or any transformer that keeps its protocol.

    Returns
    -------
    list of ndarray of shape (n_frames_i, n_dims)
        The frames of each clip. None depends on another clip, not even in the last bit. Where
        neither ``n_dims`` nor ``hop_seconds`` is known, the first clip is embedded in other
        lengths as well, to see which axis is the frames.

    Raises
    ------
    ValueError
        When what comes out is not (n_frames, n_dims), has the two swapped, is not finite, or has
        vectors of another length than those of the other clips.

    Warns
    -----
    UserWarning
        Once, when clips are filled with zeros.

    Examples
    --------
    >>> import numpy as np
    >>> from skperceptual.embeddings import FunctionEmbedding
    >>> from skperceptual.embeddings.signals import embed_clips
    >>> pairs = FunctionEmbedding(lambda clip: clip.reshape(-1, 2), sr=16000)
    >>> [frames.shape for frames in embed_clips([np.ones(8)], sr=16000, embedding=pairs)]
    [(4, 2)]
    """
    prepared = prepare_clips(clips, sr=sr, embedding=embedding)
    embed = _one_clip(embedding)
    n_dims = getattr(embedding, "n_dims", None)
    found: list[NDArray[np.floating]] = []
    for row, clip in enumerate(prepared):
        frames = check_frames(
            embed(clip),
            n_dims=n_dims,
            hop_seconds=embedding.hop_seconds,
            duration_seconds=len(clip) / embedding.sr,
            min_seconds=embedding.min_samples / embedding.sr,
            name=type(embedding).__name__,
        )
        if not found and n_dims is None and embedding.hop_seconds is None:
            check_axes(frames.shape, clip=clip, embed=embed, name=type(embedding).__name__)
        if found and frames.shape[1] != found[0].shape[1]:
            raise ValueError(
                f"{type(embedding).__name__} gave vectors of {found[0].shape[1]} numbers for clip "
                f"0 and of {frames.shape[1]} for clip {row}. Expected (n_frames, n_dims) with the "
                "same n_dims for every clip: if frames come second, swap its last two axes "
                "(transpose(-1, -2))."
            )
        found.append(frames)
    return found


def _one_clip(embedding: Any) -> Callable[[NDArray], Any]:
    """Give the function of one clip; a batch of one keeps other people's transformers honest."""
    return lambda clip: embedding.transform(clip[np.newaxis])[0]
