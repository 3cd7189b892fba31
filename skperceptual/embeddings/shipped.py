"""The embedding that comes with the package: no download, nothing to train."""

from __future__ import annotations

import copy
import hashlib
import io
from collections.abc import Callable
from functools import lru_cache
from importlib.resources import files
from typing import TYPE_CHECKING

import numpy as np
from numpy.typing import NDArray

from skperceptual.embeddings.base import Embedding
from skperceptual.embeddings.naming import describe

if TYPE_CHECKING:
    from skperceptual.networks import AuditoryEncoder

_FILE = "auditory_encoder.npz"
_SHA256 = "0daecc9af0c56ebbf32388b8fd0dd961ed029b26bd8869566865b565b387471f"
_SHAPES = {"dictionary.weight": (512, 256), "dictionary.bias": (512,)}


class AuditoryEmbedding(Embedding):
    """The embedding that the package ships: auditory channels and a learned dictionary.

    A frame, one every 20 ms, holds four channels of 64 mel bands at 16 kHz side by side: what
    sounds, what stands out from the half second around, what begins and ends, and how far these
    resemble each of 512 shapes that were learned from music and sounds like speech, all of them
    made from a seed. Each channel has length 1. ``embedding="shipped"`` stands for it in all
    metrics.

    It was chosen by how its frames' cosines agree with people, on separated vocals and on tones
    of instruments. On speech in noise and on neural codecs, which it was not chosen by, simpler
    features do as well or better: it hardly minds what is added. The user guide has the tables.

    Attributes
    ----------
    sr : int
        16000 Hz, the rate of the signals that it reads; what lies above 8 kHz is not seen.
    min_samples : int
        1: beyond its ends a clip is silent.
    hop_seconds : float
        0.02.
    n_dims : int
        769: 64 sustained, 64 adapted, 128 transient, 512 learned, and one that is constant, so
        that silence is like silence and like nothing else.

    See Also
    --------
    skperceptual.EmbeddingSimilarity : Compares recordings by it.
    VGGish, OpenL3 : Larger networks, whose weights are files of their own.
    skperceptual.networks.AuditoryEncoder : The network, without its values.

    Notes
    -----
    It is not deaf to level: a gain changes its vectors. The weights, 0.5 MB, are a part of the
    package and fall under its licence.

    Examples
    --------
    >>> import numpy as np
    >>> from skperceptual.embeddings import AuditoryEmbedding
    >>> tone = np.sin(2 * np.pi * 440 * np.arange(16000) / 16000)
    >>> frames = AuditoryEmbedding().fit_transform(np.stack([tone, tone**3]))
    >>> frames.shape
    (2, 51, 769)
    >>> lengths = np.linalg.norm(frames, axis=-1)
    >>> float(((frames[0] * frames[1]).sum(axis=-1) / lengths.prod(axis=0)).mean().round(2))
    0.84
    """

    sr = 16000
    min_samples = 1
    hop_seconds = 0.02
    n_dims = 769

    def to_module(self) -> AuditoryEncoder:
        """Give the network for tensors, differentiable with respect to the signals.

        Returns
        -------
        AuditoryEncoder
            Maps tensors (n_signals, n_times) at 16 kHz to (n_signals, n_frames, 769). A copy of
            one's own, on the CPU, in evaluation mode, whose parameters do not ask for gradients.
        """
        return copy.deepcopy(_encoder())

    def identity(self) -> str:
        """Name the embedding by what decides its vectors, alike in every process.

        Returns
        -------
        str
            The class, and the beginning of the SHA-256 of the weights.
        """
        return describe(self, sha256=_SHA256)

    def _embedder(self) -> Callable[[NDArray], NDArray]:
        import torch

        encoder = _encoder()

        def embed(clip: NDArray) -> NDArray:
            with torch.inference_mode():
                signal = torch.tensor(clip, dtype=torch.float32)
                return encoder(signal[np.newaxis])[0].numpy()

        return embed


@lru_cache(maxsize=1)
def _encoder() -> AuditoryEncoder:
    """Load the network once a process: all that use it only read it."""
    import torch

    from skperceptual.networks import AuditoryEncoder

    values = _read_values()
    encoder = AuditoryEncoder(n_atoms=_SHAPES["dictionary.bias"][0])
    encoder.load_state_dict({name: torch.from_numpy(value) for name, value in values.items()})
    return encoder.eval().requires_grad_(requires_grad=False)


def _read_values() -> dict[str, NDArray[np.float32]]:
    """Read the weights, and make sure that they are those that were shipped."""
    data = files("skperceptual.embeddings").joinpath(_FILE).read_bytes()
    if hashlib.sha256(data).hexdigest() != _SHA256:
        raise ValueError(
            f"The file {_FILE} of the installed package is not the one that was shipped: its "
            "SHA-256 is another. Install skperceptual again."
        )
    with np.load(io.BytesIO(data), allow_pickle=False) as archive:
        values = {name: archive[name] for name in _SHAPES}
    shapes = {name: value.shape for name, value in values.items()}
    if shapes != _SHAPES:
        raise ValueError(f"Expected arrays of shape {_SHAPES} in {_FILE}, got {shapes}.")
    return values
