"""What embeddings share: signals in, frames of vectors out, one clip at a time."""

from __future__ import annotations

from abc import abstractmethod
from collections.abc import Callable
from typing import TYPE_CHECKING, Any

import numpy as np
from numpy.typing import NDArray

from skperceptual.base import SignalTransformer
from skperceptual.embeddings.frames import check_frames
from skperceptual.embeddings.naming import describe

if TYPE_CHECKING:
    import torch


class Embedding(SignalTransformer):
    """Base of embeddings: a transformer from signals to frames of vectors.

    Metrics read these attributes of it, and any transformer that has them, and whose ``transform``
    maps ``(n_signals, n_times)`` to ``(n_signals, n_frames, n_dims)``, can take its place:
    ``sr``, ``min_samples`` and ``hop_seconds``; ``n_dims`` where it is known. Differentiable losses
    ask for ``to_module`` as well, and statistics take their name from ``identity`` where it is.
    An embedding reads signals at its own ``sr`` and of ``min_samples`` at least; it is the metric
    that resamples and pads.

    A subclass defines the attributes, ``_embedder`` (once for each call of ``transform``: the
    function that embeds one clip), and, where it is differentiable, ``to_module``.

    Attributes
    ----------
    sr : int
        Sampling rate in Hz of the signals that it reads.
    min_samples : int
        The shortest clip that gives a frame, in samples.
    hop_seconds : float or None
        Distance between frames; None where it is not known, or not constant.
    n_dims : int or None
        Length of the vector of a frame; None where it is not known before the first clip.

    See Also
    --------
    TorchEmbedding, FunctionEmbedding, HEAREmbedding : Make one of what you have.

    Examples
    --------
    >>> import numpy as np
    >>> from skperceptual.embeddings import Embedding
    >>> class Levels(Embedding):
    ...     sr, min_samples, hop_seconds, n_dims = 16000, 1600, 0.1, 1
    ...
    ...     def _embedder(self):
    ...         return lambda clip: (
    ...             np.abs(clip[: len(clip) // 1600 * 1600])
    ...             .reshape(-1, 1600)
    ...             .mean(axis=1, keepdims=True)
    ...         )
    >>> Levels().fit_transform(np.ones((2, 4000))).shape
    (2, 2, 1)
    """

    sr: int
    min_samples: int
    hop_seconds: float | None
    n_dims: int | None

    @abstractmethod
    def _embedder(self) -> Callable[[NDArray], NDArray]:
        """Give the function that maps one clip, (n_times,), to frames, (n_frames, n_dims)."""

    def to_module(self) -> torch.nn.Module:
        """Give the same mapping for tensors, differentiable with respect to the signals.

        Returns
        -------
        torch.nn.Module
            Maps floating-point tensors (n_signals, n_times), at ``sr``, to (n_signals, n_frames,
            n_dims). It is a copy in evaluation mode whose parameters do not ask for gradients.

        Raises
        ------
        TypeError
            When the embedding computes with NumPy, and has no gradient.
        """
        raise TypeError(
            f"A {type(self).__name__} computes with NumPy and has no gradient. Write it as a "
            "torch.nn.Module and use TorchEmbedding(module, sr=...)."
        )

    def frame_times(self, n_frames: int) -> NDArray[np.float64]:
        """Give the time of each frame.

        Parameters
        ----------
        n_frames : int
            How many frames there are.

        Returns
        -------
        ndarray of shape (n_frames,)
            Seconds from the beginning of the clip.

        Raises
        ------
        ValueError
            When ``hop_seconds`` is not known.
        """
        if self.hop_seconds is None:
            raise ValueError(
                f"The distance between frames of this {type(self).__name__} is not known. Give it "
                "by hop_seconds."
            )
        return np.arange(n_frames, dtype=np.float64) * self.hop_seconds

    def identity(self) -> str:
        """Name the embedding by what decides its vectors, alike in every process.

        Statistics of frames carry this name, and those of different names are not merged. A
        subclass whose weights are no parameters adds what tells them apart.

        Returns
        -------
        str
            Its class and its parameters. Functions and modules are named by where they are
            defined, and not told apart further.
        """
        return describe(self)

    def _min_samples(self) -> int:
        return self.min_samples

    def _prepare(self) -> Callable[[NDArray], NDArray]:
        embed = self._embedder()

        def checked(clip: NDArray) -> NDArray:
            frames = check_frames(
                embed(clip),
                n_dims=self.n_dims,
                hop_seconds=self.hop_seconds,
                duration_seconds=len(clip) / self.sr,
                min_seconds=self.min_samples / self.sr,
                name=type(self).__name__,
            )
            return frames.astype(clip.dtype, copy=False)

        return checked

    def transform(self, X: Any) -> Any:
        """Embed every clip, each by itself.

        Parameters
        ----------
        X : array or list
            Signals of shape (n_signals, n_times) at ``sr``, pairs of shape (n_pairs, 2, n_times),
            or a list of either where lengths differ.

        Returns
        -------
        ndarray or list
            Frames of shape (n_signals, n_frames, n_dims) or (n_pairs, 2, n_frames, n_dims), in
            the floating-point type of the signals; a list for a list.
        """
        return super().transform(X)
