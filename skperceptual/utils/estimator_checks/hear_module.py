"""The smallest model that keeps HEAR's common interface, for checks of what reads such models.

Its frames are 4 samples long and hold their mean and their mean square.
"""

from __future__ import annotations

from typing import NamedTuple

from torch import Tensor, arange, stack

_FRAME = 4


class Model(NamedTuple):
    """What ``load_model`` gives.

    Parameters
    ----------
    sample_rate : int
        In Hz.
    timestamp_embedding_size : int
        Length of a frame's vector.
    """

    sample_rate: int = 16000
    timestamp_embedding_size: int = 2


def load_model(model_file_path: str = "") -> Model:
    """Give the model; there is no file.

    Parameters
    ----------
    model_file_path : str, default=""
        Ignored.

    Returns
    -------
    Model
        The model.
    """
    return Model()


def get_timestamp_embeddings(audio: Tensor, model: Model) -> tuple[Tensor, Tensor]:
    """Embed signals.

    Parameters
    ----------
    audio : Tensor of shape (n_signals, n_times)
        Signals; zeros fill the last frame.
    model : Model
        The model.

    Returns
    -------
    embeddings : Tensor of shape (n_signals, n_frames, 2)
        The frames.
    timestamps : Tensor of shape (n_signals, n_frames)
        Their times in milliseconds.
    """
    missing = -audio.shape[-1] % _FRAME
    filled = audio.new_zeros(len(audio), audio.shape[-1] + missing)
    filled[:, : audio.shape[-1]] = audio
    frames = filled.unflatten(-1, (-1, _FRAME))
    embeddings = stack([frames.mean(dim=-1), frames.square().mean(dim=-1)], dim=-1)
    times = arange(embeddings.shape[1]) * (1000 * _FRAME / model.sample_rate)
    return embeddings, times.expand(len(audio), -1)
