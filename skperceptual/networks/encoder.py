"""The encoder that the package ships: three auditory channels of a mel spectrogram, one learned.

Hearing tells apart what sounds, what stands out from the half second around, and what begins and
ends. The first three channels say that by formulas. The fourth says which of a dictionary's
shapes, which are learned, a frame resembles. In every frame each channel is scaled to length
1, so that the cosine between two frames is about the mean of the channels' cosines: none drowns
the others.
"""

from __future__ import annotations

import torch
import torch.nn.functional as F
from torch import Tensor, nn

from skperceptual.functional.spectrogram import mel_spectrogram

__all__ = ["AuditoryEncoder"]

# Some 100 dB below the largest value of a full-scale sine: next to silence.
FLOOR = 1e-3
# Of a channel shorter than this, less and less is left: what is all but silent has no direction.
FAINT = 0.1
# One more dimension, the same in all frames, is all that silence has: it is like itself.
CONSTANT = 0.1


class AuditoryEncoder(nn.Module):
    """Turn signals into frames of vectors.

    Magnitudes of a 25 ms window every 10 ms go through 64 mel bands; ``m`` is the logarithm of a
    band over a floor, never negative. The channels, of which two frames are averaged:

    * sustained: ``m**2``, which lets the peaks of a spectrum count;
    * adapted: ``m`` over 1 plus its mean over half a second, which lets faint bands count;
    * transient: how ``m`` rises and falls within 40 ms, two halves;
    * learned: how far the other three, side by side, resemble each atom of the dictionary, less
      a threshold, never negative.

    Parameters
    ----------
    n_atoms : int, default=512
        Size of the dictionary, whose values are random until they are loaded; 0 leaves the
        learned channel out.

    Notes
    -----
    A signal's frames depend on that signal alone, and on nothing further than 0.3 s away. At
    the ends it goes on in silence.

    Examples
    --------
    >>> import torch
    >>> from skperceptual.networks import AuditoryEncoder
    >>> AuditoryEncoder()(torch.zeros(2, 16000)).shape
    torch.Size([2, 51, 769])
    """

    sr = 16000
    hop_length = 320
    n_mels = 64
    _memory = 51  # frames of 10 ms, odd
    _step = 2  # frames of 10 ms, to either side

    def __init__(self, n_atoms: int = 512) -> None:
        super().__init__()
        self.dictionary = nn.Linear(4 * self.n_mels, n_atoms) if n_atoms else None

    @property
    def n_dims(self) -> int:
        """Length of the vector of a frame."""
        return 4 * self.n_mels + (self.dictionary.out_features if self.dictionary else 0) + 1

    def forward(self, signals: Tensor) -> Tensor:
        """Encode signals at 16 kHz.

        Parameters
        ----------
        signals : Tensor of shape (n_signals, n_times)
            Signals, full scale 1.

        Returns
        -------
        Tensor of shape (n_signals, n_frames, n_dims)
            One vector every 20 ms.
        """
        channels = self.channels(self.levels(signals))
        parts = [channels]
        if self.dictionary is not None:
            parts.append(_scale_to_one(self.resemblance(channels)))
        parts.append(torch.full_like(channels[..., :1], CONSTANT))
        return torch.cat(parts, dim=-1)

    def levels(self, signals: Tensor) -> Tensor:
        """Give the logarithm of each band over the floor, every 10 ms.

        Parameters
        ----------
        signals : Tensor of shape (n_signals, n_times)
            Signals at 16 kHz.

        Returns
        -------
        Tensor of shape (n_signals, n_mels, n_frames)
            Not negative; 0 in silence.
        """
        mel = mel_spectrogram(
            signals,
            sr=self.sr,
            n_fft=512,
            win_length=400,
            hop_length=self.hop_length // 2,
            n_mels=self.n_mels,
            center=True,
            htk=True,
            norm=None,
        )
        return torch.log1p(mel / FLOOR)

    def channels(self, levels: Tensor) -> Tensor:
        """Give what the formulas make of the levels: sustained, adapted, transient.

        Parameters
        ----------
        levels : Tensor of shape (n_signals, n_mels, n_levels)
            Levels every 10 ms.

        Returns
        -------
        Tensor of shape (n_signals, n_frames, 4 * n_mels)
            The three channels side by side, each of length 1, every 20 ms.
        """
        recent = F.avg_pool1d(levels, self._memory, 1, padding=self._memory // 2)
        later = F.pad(levels, (0, self._step))[..., self._step :]
        earlier = F.pad(levels, (self._step, 0))[..., : levels.shape[-1]]
        transient = torch.cat([F.relu(later - earlier), F.relu(earlier - later)], dim=1)
        parts = (levels.square(), levels / (1 + recent), transient)
        halved = [F.avg_pool1d(part, 2, ceil_mode=True).transpose(1, 2) for part in parts]
        return torch.cat([_scale_to_one(part) for part in halved], dim=-1)

    def resemblance(self, channels: Tensor) -> Tensor:
        """Compare frames with the atoms of the dictionary.

        Parameters
        ----------
        channels : Tensor of shape (n_signals, n_frames, 4 * n_mels)
            What :meth:`channels` gave.

        Returns
        -------
        Tensor of shape (n_signals, n_frames, n_atoms)
            Not negative.
        """
        if self.dictionary is None:
            raise ValueError("This encoder has no dictionary. Make it with n_atoms of 1 or more.")
        return F.relu(self.dictionary(channels))


def _scale_to_one(part: Tensor) -> Tensor:
    return part * torch.rsqrt(part.square().sum(dim=-1, keepdim=True) + FAINT**2)
