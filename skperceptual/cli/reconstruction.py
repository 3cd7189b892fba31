"""One recording through several autoencoders: models, audio, pictures, a table."""

from __future__ import annotations

import warnings
from collections import Counter
from itertools import product
from pathlib import Path
from typing import Any, NamedTuple

import joblib
import numpy as np
import pandas as pd
from numpy.typing import NDArray
from sklearn.pipeline import Pipeline, make_pipeline
from sklearn.utils.validation import check_is_fitted

from skperceptual.autoencoder import CompressiveAutoencoder
from skperceptual.cli.audio_files import look_at
from skperceptual.cli.errors import CommandError
from skperceptual.cli.metrics import open_saved
from skperceptual.cli.options import Reading
from skperceptual.datasets import load_audio_folder
from skperceptual.full_reference import MSE, MSSSIM, NLPD
from skperceptual.io import AudioFileError, LoadAudio, load_audio, save_audio
from skperceptual.plotting import ReconstructionDisplay
from skperceptual.spectrograms import MelSpectrogram
from skperceptual.utils.network_training import CheckpointError

__all__ = ["Recipe", "reconstruct_file"]

_SECONDS = 4.208  # 256 frames, the length that networks are made for
_SIZES: dict[bool, dict[str, Any]] = {
    False: {"n_filters": 32, "kernel_size": 3, "batch_size": 16, "crop_size": 64},
    True: {},  # the defaults are the paper's
}
_METRICS = {
    "mse": MSE(),
    "nlpd": NLPD(),
    "nlpd_hepburn": NLPD(convention="hepburn", pooling="norm0.6"),
    "ms_ssim": MSSSIM(),
}
_PICTURE, _TABLE, _ORIGINAL, _BEFORE = (
    "reconstruction.png",
    "reconstruction.csv",
    "original.wav",
    "before.wav",
)
_INPUT = "input"  # in the picture


class Recipe(NamedTuple):
    """Which networks to train.

    Examples
    --------
    >>> from skperceptual.cli.reconstruction import Recipe
    >>> Recipe(losses=("mse", "nlpd"), music=None).names()
    ['noise-mse', 'noise-nlpd']
    """

    losses: tuple[str, ...]
    music: Path | None
    iterations: int = 425
    full: bool = False
    seed: int = 0

    def names(self) -> list[str]:
        """Name the networks: what they are trained on, and with which loss."""
        trainings = ["noise"] if self.music is None else ["noise", "music"]
        return [f"{training}-{loss}" for training, loss in product(trainings, self.losses)]


def reconstruct_file(
    audio: str,
    folder: Path,
    models: Recipe | list[Path],
    *,
    offset_seconds: float = 0.0,
    duration_seconds: float = _SECONDS,
    overwrite: bool = False,
    quiet: bool = False,
) -> pd.DataFrame:
    """Send a recording through autoencoders, and write what there is to hear and to see.

    Parameters
    ----------
    audio : str
        The recording.
    folder : Path
        Where to write.
    models : Recipe or list of Path
        Networks to train, or saved ones.
    offset_seconds : float, default=0.0
        Where to begin in the recording.
    duration_seconds : float, default=4.208
        How much to take, or to its end.
    overwrite : bool, default=False
        Whether results in the folder may be replaced: those of the former run go, its models only
        when new ones are trained.
    quiet : bool, default=False
        No progress bars.

    Returns
    -------
    DataFrame
        One row a network.

    Raises
    ------
    CommandError
        For what the user can put right.
    """
    _check_folder(folder, overwrite=overwrite)
    pipelines = {} if isinstance(models, Recipe) else _open_models(models)
    front_end = _common_front_end(pipelines)
    signal = _read(audio, front_end, offset_seconds, duration_seconds)
    folder.mkdir(exist_ok=True)
    former = _former_names(folder)
    if isinstance(models, Recipe):
        pipelines = _train(models, front_end, folder, overwrite=overwrite, quiet=quiet)
    original = front_end.transform(signal[np.newaxis])[0]
    images = {name: _through(pipeline[-1], original) for name, pipeline in pipelines.items()}
    table = _tabulate(original, images, pipelines, front_end)
    for name in former - images.keys():
        (folder / _after(name)).unlink(missing_ok=True)
        if isinstance(models, Recipe):
            (folder / _model(name)).unlink(missing_ok=True)
    _save(folder / _ORIGINAL, signal, front_end)
    versions = {_BEFORE: original} | {_after(name): image for name, image in images.items()}
    for name, image in versions.items():
        _save(folder / name, front_end.inverse_transform(image[np.newaxis])[0], front_end)
    _draw(original, images, front_end, folder / _PICTURE, models)
    table.to_csv(folder / _TABLE, index=False)
    return table


def _after(name: str) -> str:
    return f"after-{name}.wav"


def _model(name: str) -> str:
    return f"model-{name}.joblib"


def _former_names(folder: Path) -> set[str]:
    """Give the names of the networks of the run whose results are in the folder."""
    try:
        names = pd.read_csv(folder / _TABLE, dtype=str, keep_default_na=False)["model"]
    except (OSError, ValueError, KeyError):  # no table, or none of ours
        return set()
    return {name for name in names if Path(name).name == name}


def _check_folder(folder: Path, *, overwrite: bool) -> None:
    if folder.exists() and not folder.is_dir():
        raise CommandError(f"{str(folder)!r} is a file. Name a folder with -o.")
    if not folder.absolute().parent.is_dir():
        raise CommandError(f"the folder of {str(folder)!r} does not exist. Make it first.")
    if (folder / _TABLE).exists() and not overwrite:
        raise CommandError(
            f"{str(folder)!r} holds {_TABLE} already. Name another folder with -o, or replace what "
            "is there with --overwrite."
        )


def _open_models(paths: list[Path]) -> dict[str, Pipeline]:
    """Open models by their file names, which their results are called by."""
    for name, count in Counter(path.stem.casefold() for path in paths).items():
        if count > 1 or name == _INPUT:
            named = " and ".join(repr(str(p)) for p in paths if p.stem.casefold() == name)
            reason = "are called alike" if count > 1 else "is called as the original is"
            raise CommandError(
                f"{named} {reason}: results are named after the files of the models, without "
                "their ending. Rename one."
            )
    return {path.stem: _open_model(path) for path in paths}


def _open_model(path: Path) -> Pipeline:
    model, _ = open_saved(path, "model")
    steps = [step for _, step in getattr(model, "steps", [])]
    if [type(step) for step in steps] != [MelSpectrogram, CompressiveAutoencoder]:
        raise CommandError(
            f"{str(path)!r} holds no pipeline of MelSpectrogram and CompressiveAutoencoder, but a "
            f"{type(model).__name__}. Save one with joblib.dump(pipeline, path)."
        )
    try:
        check_is_fitted(steps[-1])
    except ValueError as error:
        raise CommandError(f"the model in {str(path)!r} is not fitted.") from error
    return model


def _common_front_end(pipelines: dict[str, Pipeline]) -> MelSpectrogram:
    """Give the front end of all models; the package's own, where there are none yet."""
    front_ends = [pipeline[0] for pipeline in pipelines.values()]
    if not front_ends:
        return MelSpectrogram(random_state=0)
    first = front_ends[0]
    if any(front_end.get_params() != first.get_params() for front_end in front_ends):
        raise CommandError(
            "the models were made for spectrograms of different kinds, and cannot be compared. "
            "Give them one by one."
        )
    return first


def _read(
    audio: str, front_end: MelSpectrogram, offset_seconds: float, duration_seconds: float
) -> NDArray[np.float32]:
    sr = round(front_end.sr)
    try:
        header = look_at(audio, Reading(offset_seconds=offset_seconds))
        rest = header.duration_seconds - offset_seconds
        # To the end where there is less: rounding to samples is then left to the reader.
        duration = duration_seconds if duration_seconds < rest else None
        signal, _ = load_audio(
            audio, sr=sr, offset_seconds=offset_seconds, duration_seconds=duration
        )
    except AudioFileError as error:
        raise CommandError(f"{audio!r} {error}") from error
    if len(signal) < front_end.n_fft:
        raise CommandError(
            f"{audio!r} has {len(signal) / sr:.3g} s there, less than one frame of "
            f"{front_end.n_fft / sr:.3g} s."
        )
    if not np.any(signal):
        raise CommandError(f"{audio!r} is silent there. Begin elsewhere with --offset.")
    return signal


def _train(
    recipe: Recipe, front_end: MelSpectrogram, folder: Path, *, overwrite: bool, quiet: bool
) -> dict[str, Pipeline]:
    n_frames = 1 + (round(_SECONDS * front_end.sr) - front_end.n_fft) // front_end.hop_length
    shape = np.zeros((1, front_end.n_mels, n_frames), dtype=np.float32)
    music = None if recipe.music is None else _load_music(recipe.music, front_end)
    pipelines = {}
    for name in recipe.names():
        training, _, loss = name.partition("-")
        unfinished = folder / f".training-{name}.npz"
        coder = CompressiveAutoencoder(
            loss=loss,
            training="noise" if training == "noise" else "data",
            max_iter=recipe.iterations,
            checkpoint=unfinished,
            random_state=recipe.seed,
            verbose=not quiet,
            **_SIZES[recipe.full],
        )
        _fit(coder, shape if training == "noise" else music, unfinished, overwrite=overwrite)
        if coder.n_iter_ < recipe.iterations:
            stopped = KeyboardInterrupt()
            stopped.add_note(
                f"{name} has {coder.n_iter_} of {recipe.iterations} iterations; the same command "
                "goes on"
            )
            raise stopped
        # What is written says nothing of where it was trained.
        pipelines[name] = make_pipeline(front_end, coder.set_params(checkpoint=None, verbose=0))
        joblib.dump(pipelines[name], folder / _model(name))
    for name in recipe.names():
        (folder / f".training-{name}.npz").unlink(missing_ok=True)
    return pipelines


def _fit(coder: CompressiveAutoencoder, images: Any, unfinished: Path, *, overwrite: bool) -> None:
    """Train, and tell in a line what came in between."""
    try:
        with warnings.catch_warnings():
            warnings.filterwarnings("ignore", "Training images of|.* was interrupted")
            coder.fit(images)
    except CheckpointError as error:
        if not overwrite:
            raise CommandError(
                f"{str(unfinished)!r} keeps an unfinished training that was begun with other "
                "options, or is damaged. Give those options to go on from it; to begin anew, "
                "remove it, or use --overwrite."
            ) from error
        unfinished.unlink()
        _fit(coder, images, unfinished, overwrite=False)
    except (ValueError, FloatingPointError, MemoryError) as error:
        raise CommandError(str(error) or "memory ran out.") from error


def _load_music(folder: Path, front_end: MelSpectrogram) -> NDArray[np.float32]:
    try:
        data = load_audio_folder(folder, min_duration_seconds=_SECONDS)
        reader = LoadAudio(sr=round(front_end.sr), duration_seconds=_SECONDS)
        images: NDArray[np.float32] = front_end.transform(reader.transform(data.signals))
    except ValueError as error:
        raise CommandError(str(error)) from error
    return images


def _through(coder: CompressiveAutoencoder, image: NDArray[np.float32]) -> NDArray[np.float32]:
    """Reconstruct an image of any length in pieces, the last one filled with silence."""
    n_bands, width = coder.image_shape_
    n_frames = image.shape[1]
    n_pieces = -(-n_frames // width)
    filled = np.zeros((n_bands, n_pieces * width), dtype=image.dtype)
    filled[:, :n_frames] = image
    pieces = filled.reshape(n_bands, n_pieces, width).swapaxes(0, 1)
    joined = coder.reconstruct(pieces).swapaxes(0, 1).reshape(n_bands, -1)
    return joined[:, :n_frames]


def _tabulate(
    original: NDArray[np.float32],
    images: dict[str, NDArray[np.float32]],
    pipelines: dict[str, Pipeline],
    front_end: MelSpectrogram,
) -> pd.DataFrame:
    rows = []
    for name, pipeline in pipelines.items():
        pair = np.stack([original, images[name]])[np.newaxis]
        coder = pipeline[-1]
        n_times = front_end.n_fft + front_end.hop_length * (coder.image_shape_[1] - 1)
        row = {"model": name, "kbit_a_second": coder.entropy_bound_ * front_end.sr / n_times / 1000}
        with warnings.catch_warnings():
            warnings.filterwarnings("ignore", ".*images are too small")
            row |= {key: float(metric.transform(pair)[0, 0]) for key, metric in _METRICS.items()}
        rows.append(row)
    return pd.DataFrame(rows)


def _save(path: Path, signal: NDArray[np.floating], front_end: MelSpectrogram) -> None:
    # An estimated phase can pile up what did not coincide before.
    peak = max(1.0, float(np.abs(signal).max()))
    save_audio(path, signal / peak, round(front_end.sr))


def _draw(
    original: NDArray[np.float32],
    images: dict[str, NDArray[np.float32]],
    front_end: MelSpectrogram,
    path: Path,
    models: Recipe | list[Path],
) -> None:
    display = ReconstructionDisplay.from_images(
        {_INPUT: original, **images},
        frequencies=front_end.band_frequencies(),
        times=front_end.frame_times(original.shape[1]),
        n_columns=len(models.losses) if isinstance(models, Recipe) else None,
    )
    display.figure_.savefig(path, dpi=120)
