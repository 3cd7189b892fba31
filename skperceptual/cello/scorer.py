"""What the estimators that score spectrograms of an instrument share."""

from __future__ import annotations

import itertools
from abc import abstractmethod
from collections.abc import Sequence
from dataclasses import replace
from numbers import Integral, Real
from typing import Any, ClassVar

import numpy as np
import torch
from numpy.typing import NDArray
from sklearn.utils import Tags
from sklearn.utils.validation import check_is_fitted
from torch import Tensor, nn

from skperceptual.base import PerceptualEstimator
from skperceptual.cello.excerpts import ExcerptBatches, sounding_slices
from skperceptual.cello.held_out import hold_out_groups
from skperceptual.functional.masks import remove_level
from skperceptual.networks.instrument import FREQUENCY_CUES, InstrumentNetwork
from skperceptual.utils._sklearn import Interval, Options, StrOptions
from skperceptual.utils.devices import resolve_device
from skperceptual.utils.network_training import (
    FittedNetworkMixin,
    NetworkRecipe,
    TrainedNetwork,
    train_network,
)
from skperceptual.utils.random_states import own_random_state
from skperceptual.utils.validation import ImageBatch, check_images

History = list[dict[str, Any]]


class InstrumentScorer(FittedNetworkMixin, PerceptualEstimator):
    """Base of the estimators that put an :class:`InstrumentNetwork` on excerpts of recordings.

    A subclass says what the network's outputs mean (``_to_score``), what they are trained with
    (``_criterion``), and turns what the user gave for y into targets.
    """

    n_filters: Sequence[int]
    kernel_size: int
    dropout: float
    time_poolings: int
    frequency_cue: str | None
    dynamic_range_db: float
    excerpt_frames: int
    learning_rate: float
    weight_decay: float
    batch_size: int
    max_epochs: int
    validation_fraction: float
    patience: int
    random_state: int | np.random.RandomState | None
    verbose: bool | int
    n_bands_: int
    excerpt_frames_: int

    __metadata_request__fit: ClassVar[dict[str, bool]] = {"groups": True}

    _parameter_constraints: ClassVar[dict[str, list[Any]]] = {
        "n_filters": [tuple, list],
        "kernel_size": [Options(Integral, {1, 3, 5, 7, 9})],
        "dropout": [Interval(Real, 0, 1, closed="left")],
        "time_poolings": [Interval(Integral, 0, None, closed="left")],
        "frequency_cue": [StrOptions(set(FREQUENCY_CUES)), None],
        "dynamic_range_db": [Interval(Real, 0, None, closed="neither")],
        "excerpt_frames": [Interval(Integral, 1, None, closed="left")],
        "learning_rate": [Interval(Real, 0, None, closed="neither")],
        "weight_decay": [Interval(Real, 0, None, closed="left")],
        "batch_size": [Interval(Integral, 1, None, closed="left")],
        "max_epochs": [Interval(Integral, 1, None, closed="left")],
        "validation_fraction": [Interval(Real, 0, 1, closed="left")],
        "patience": [Interval(Integral, 1, None, closed="left")],
        "random_state": ["random_state"],
        "device": [str],
        "verbose": ["verbose"],
    }

    def excerpt_scores(self, X: Any) -> list[NDArray[np.float64]]:
        """Score each excerpt of each recording by itself.

        Parameters
        ----------
        X : array of shape (n_recordings, n_bands, n_frames), or list of (n_bands, n_frames)
            Natural logarithms of magnitudes.

        Returns
        -------
        list of ndarray of shape (n_excerpts,)
            One array a recording, in the order of time. The recording's score is their mean;
            pauses, more than 60 dB below its loudest excerpt, are left out.
        """
        recordings = self.check_recordings(X)
        network = self.net_.module_
        device = self.net_.device
        scores = []
        with torch.inference_mode():
            for recording in recordings:
                # One excerpt at a time, so that no other can move the last bit of its score.
                image = torch.tensor(recording, dtype=torch.float32, device=device)
                outputs = [
                    network(image[None, None, :, frames]).item()
                    for frames in sounding_slices(image, self.excerpt_frames_)
                ]
                scores.append(self._to_score(torch.tensor(outputs, dtype=torch.float64)).numpy())
        return scores

    def score_images(self, images: Tensor) -> Tensor:
        """Score recordings of one length as tensors, with gradients: what a mask comes down on.

        Parameters
        ----------
        images : Tensor of shape (n_recordings, n_bands, n_frames)
            Natural logarithms of magnitudes, float32, on the device of ``net_``.

        Returns
        -------
        Tensor of shape (n_recordings,)
            The means of the scores of the excerpts.
        """
        network = self.net_.module_
        by_slices: dict[tuple[tuple[int, int], ...], list[int]] = {}
        for row, image in enumerate(images):
            slices = sounding_slices(image.detach(), self.excerpt_frames_)
            key = tuple((frames.start, frames.stop) for frames in slices)
            by_slices.setdefault(key, []).append(row)
        scores = images.new_zeros(len(images))
        for key, rows in by_slices.items():
            excerpts = [images[rows][:, None, :, slice(*ends)] for ends in key]
            parts = torch.stack([self._to_score(network(excerpt)) for excerpt in excerpts])
            places = torch.tensor(rows, device=images.device)
            scores = scores.index_put((places,), parts.mean(dim=0))
        return scores

    def check_recordings(self, X: Any) -> ImageBatch:
        """Check recordings for what reads this scorer's network rather than its predictions.

        Parameters
        ----------
        X : array of shape (n_recordings, n_bands, n_frames), or list of (n_bands, n_frames)
            Natural logarithms of magnitudes.

        Returns
        -------
        ndarray or list
            The same as floating-point arrays.

        Raises
        ------
        ValueError
            When a recording is too short, silent, or has another number of bands than those of
            ``fit``.
        """
        check_is_fitted(self, "state_")
        return self._validate_images(X, reset=False)

    @abstractmethod
    def _to_score(self, outputs: Tensor) -> Tensor:
        """Turn what the network gives into a score."""

    @abstractmethod
    def _criterion(self) -> nn.Module:
        """Give the loss."""

    def _recording_scores(self, X: Any) -> NDArray[np.float64]:
        return np.array([scores.mean() for scores in self.excerpt_scores(X)])

    def _train(
        self,
        recordings: ImageBatch,
        targets: NDArray[np.float32],
        labels: NDArray[np.generic],
        groups: NDArray[np.generic] | None,
    ) -> tuple[TrainedNetwork, History]:
        """Train a network, and leave a former fit as it is."""
        device = resolve_device(self.device)
        images = [recording.astype(np.float32, copy=False) for recording in recordings]
        recipe = self._describe_training(len(images[0]))
        generator = own_random_state(self.random_state)
        seed = int(generator.randint(np.iinfo(np.int32).max))
        train, held_out = hold_out_groups(labels, groups, self.validation_fraction, generator)
        batches, validation = (
            ExcerptBatches(images, targets, rows, self.excerpt_frames, self.batch_size, seed)
            for rows in (train, held_out)
        )
        means, scales = self._band_statistics(batches)
        statistics = {"band_means": means, "band_scales": scales}
        trained = train_network(
            replace(recipe, module_parameters={**recipe.module_parameters, **statistics}),
            batches,
            n_steps=self.max_epochs * batches.steps_per_epoch,
            steps_per_epoch=batches.steps_per_epoch,
            seed=seed,
            device=device,
            validation=validation.fixed() if len(held_out) else None,
            patience=self.patience if len(held_out) else None,
            describe_batch=batches.describe,
            caller=type(self).__name__,
            verbose=self.verbose,
        )
        return trained, _history(trained, batches.steps_per_epoch)

    def _keep_training(
        self, X: Any, recordings: ImageBatch, trained: TrainedNetwork, history: History
    ) -> None:
        """Take over what was trained, instead of a former fit."""
        n_bands = recordings[0].shape[0]
        self._keep_state(trained.state, self._describe_training(n_bands))
        self._record_features(X, recordings, reset=True)
        self.n_bands_ = n_bands
        self.excerpt_frames_ = int(self.excerpt_frames)
        self.history_ = history
        self.n_iter_ = len(history)

    def _band_statistics(self, batches: ExcerptBatches) -> tuple[NDArray, NDArray]:
        """Give mean and standard deviation of each band over the excerpts to train with."""
        total = square = np.zeros(len(batches.images[0]))
        n_frames = 0
        for row, frames in batches.excerpts:
            excerpt = torch.from_numpy(batches.images[row][:, frames])
            relative = remove_level(excerpt, dynamic_range_db=self.dynamic_range_db).double()
            total = total + relative.sum(dim=-1).numpy()
            square = square + relative.square().sum(dim=-1).numpy()
            n_frames += relative.shape[-1]
        means = total / n_frames
        return means, np.sqrt(np.maximum(square / n_frames - means**2, 0))

    def _make_recipe(self) -> NetworkRecipe:
        return self._describe_training(self.n_bands_)

    def _describe_training(self, n_bands: int) -> NetworkRecipe:
        module_parameters = {
            "n_bands": n_bands,
            "n_filters": _check_filters(self.n_filters),
            "kernel_size": int(self.kernel_size),
            "dropout": float(self.dropout),
            "time_poolings": int(self.time_poolings),
            "frequency_cue": self.frequency_cue,
            "dynamic_range_db": float(self.dynamic_range_db),
        }
        return NetworkRecipe(
            InstrumentNetwork,
            module_parameters,
            self._criterion(),
            float(self.learning_rate),
            torch.optim.Adam,
            {"weight_decay": float(self.weight_decay)},
            draws=self.dropout > 0,
        )

    def _validate_images(self, X: Any, *, reset: bool) -> ImageBatch:
        """Check recordings; ``fit`` itself records what is kept of them."""
        batch = check_images(X)
        if not reset:
            self._record_features(X, batch, reset=False)
        n_bands = len(batch[0]) if reset else self.n_bands_
        excerpt_frames = self.excerpt_frames if reset else self.excerpt_frames_
        for row, image in enumerate(batch):
            if image.shape[0] != n_bands:
                other = "the first one has" if reset else "fit saw"
                raise ValueError(
                    f"Recording {row} has {image.shape[0]} bands, {other} {n_bands}: another "
                    "n_fft, or another front end. Bring all recordings to one sampling rate, "
                    "LoadAudio(sr=16000) or Resample, and use one Spectrogram for all of them."
                )
            if image.shape[1] < excerpt_frames:
                raise ValueError(
                    f"Recording {row} has {image.shape[1]} frames, but an excerpt has "
                    f"{excerpt_frames} (3 s are 297 whole frames at a hop of 10 ms). Leave "
                    "out what is shorter, or set a smaller excerpt_frames and fit again."
                )
            if np.ptp(image) == 0:
                raise ValueError(
                    f"Recording {row} is constant, as the spectrogram of silence is. Leave it out."
                )
        return batch

    def __sklearn_tags__(self) -> Tags:
        tags = super().__sklearn_tags__()
        tags.input_tags.two_d_array = False
        tags.input_tags.three_d_array = True
        tags.input_tags.images = True
        return tags


def _check_filters(n_filters: Sequence[int]) -> tuple[int, ...]:
    whole = all(isinstance(number, Integral) and number >= 1 for number in n_filters)
    if not n_filters or not whole:
        raise ValueError(
            f"n_filters={n_filters!r} should be the channels of the blocks, one integer of at "
            "least 1 for each of one or more blocks, such as (16, 32, 64, 64)."
        )
    return tuple(int(number) for number in n_filters)


def _history(trained: TrainedNetwork, steps_per_epoch: int) -> History:
    starts = range(0, trained.n_steps, steps_per_epoch)
    losses = [float(np.mean(trained.losses[start : start + steps_per_epoch])) for start in starts]
    epochs = itertools.zip_longest(losses, map(float, trained.validation_losses))
    return [
        {"epoch": number, "loss": loss, "validation_loss": validation_loss}
        for number, (loss, validation_loss) in enumerate(epochs, start=1)
    ]
