"""What an encoder has to beat: log-mel bands, their modulations, networks with random weights."""

from __future__ import annotations

from collections.abc import Callable

import numpy as np
import torch
import torch.nn.functional as F
from numpy.typing import NDArray
from torch import Tensor, nn

from skperceptual.functional import mel_spectrogram
from skperceptual.networks import AuditoryEncoder

Embed = Callable[[NDArray[np.float32]], NDArray[np.floating]]

VGGISH_OFFSET = 0.01
FLOORS = (1e-3, 1e-5)
PATCH, PATCH_HOP, N_MODULATIONS = 96, 48, 32  # frames of 10 ms
N_FILTERS = (16, 32, 64, 64)


def embed_with(module: Callable[[Tensor], Tensor]) -> Embed:
    """Make a function of one clip of one of batches of tensors."""

    def embed(clip: NDArray[np.float32]) -> NDArray[np.floating]:
        with torch.no_grad():
            return module(torch.tensor(clip, dtype=torch.float32)[None])[0].numpy()

    return embed


def magnitudes(signals: Tensor) -> Tensor:
    """Give 64 mel bands every 10 ms, as the encoder takes them."""
    return mel_spectrogram(
        signals,
        sr=16000,
        n_fft=512,
        win_length=400,
        hop_length=160,
        n_mels=64,
        center=True,
        htk=True,
        norm=None,
    )


def log_mel(signals: Tensor) -> Tensor:
    """Give logarithms as VGGish takes them, of either sign: ln(m + 0.01)."""
    return torch.log(magnitudes(signals) + VGGISH_OFFSET).transpose(1, 2)


def log_mel_above(floor: float) -> Callable[[Tensor], Tensor]:
    """Give logarithms above a floor, never negative: ln(1 + m / floor)."""
    return lambda signals: torch.log1p(magnitudes(signals) / floor).transpose(1, 2)


def modulations_of(log_bands: Callable[[Tensor], Tensor]) -> Callable[[Tensor], Tensor]:
    """Give modulation spectra: magnitudes of the transform over 0.96 s of every band."""

    def modulations(signals: Tensor) -> Tensor:
        bands = log_bands(signals).transpose(1, 2)
        bands = F.pad(bands, (0, max(0, PATCH - bands.shape[-1])))
        patches = bands.unfold(-1, PATCH, PATCH_HOP) * torch.hann_window(PATCH)
        spectra = torch.fft.rfft(patches).abs()[..., :N_MODULATIONS]
        return spectra.permute(0, 2, 1, 3).flatten(2)

    return modulations


class RandomConvolutions(nn.Module):
    """Four convolutions with random weights, normalised on clean clips; 256 numbers every 20 ms."""

    def __init__(self, clean: NDArray[np.float32], random_state: int) -> None:
        super().__init__()
        widths = (1, *N_FILTERS)
        self.convolutions = nn.ModuleList(
            nn.Conv2d(n_in, n_out, 3, padding=1, bias=False)
            for n_in, n_out in zip(widths, N_FILTERS, strict=False)
        )
        self.norms = nn.ModuleList(nn.BatchNorm2d(n, momentum=None) for n in N_FILTERS)
        rng = np.random.default_rng([random_state, 4])
        with torch.no_grad():
            for layer in self.convolutions:
                values = rng.normal(0, np.sqrt(2 / layer.weight[0].numel()), layer.weight.shape)
                layer.weight.copy_(torch.from_numpy(values))
            self.train()(torch.from_numpy(clean[::4]))
        self.eval()

    def forward(self, signals: Tensor) -> Tensor:
        """Give (n, n_frames, 256) for signals (n, n_times)."""
        images = AuditoryEncoder(n_atoms=0).levels(signals).unsqueeze(1)
        images = F.avg_pool2d(images, (1, 2), ceil_mode=True)
        for layer, norm in zip(self.convolutions, self.norms, strict=True):
            images = F.avg_pool2d(F.relu(norm(layer(images))), (2, 1))
        return images.flatten(1, 2).transpose(1, 2)


def make_baselines() -> dict[str, Embed]:
    """Give the baselines without chance."""
    modules = {"log-mel, ln(m + 0.01)": log_mel}
    for floor in FLOORS:
        modules[f"log-mel, ln(1 + m / {floor:g})"] = log_mel_above(floor)
    modules["modulation spectra of ln(m + 0.01)"] = modulations_of(log_mel)
    modules["modulation spectra of ln(1 + m / 0.001)"] = modulations_of(log_mel_above(1e-3))
    return {name: embed_with(module) for name, module in modules.items()}
