"""``skperceptual reconstruct``: a recording through autoencoders, to hear and to see."""

from __future__ import annotations

import argparse
import os
from pathlib import Path

from skperceptual.cli.options import positive_seconds, seconds, seed, whole_number

__all__ = ["add_parser"]

_LOSSES = ("mse", "ms-ssim", "nlpd", "ssim")
_DEFAULT_LOSSES = ["mse", "ms-ssim", "nlpd"]
_PAPER_SECONDS = 4.208

_DESCRIPTION = """\
Send a recording through autoencoders with a quantised latent space, trained
with different losses, as in "Data is overrated" (2023): its mel spectrogram
becomes a few kilobits a second and a spectrogram again, whose phase is
estimated. Networks are trained on uniform noise, and with --train on music
too, here and now; Ctrl-C stops, and the same command goes on."""

_EPILOG = """\
The folder holds original.wav (mono, at the rate of the spectrogram); before.wav
(its spectrogram made audible without any network: what the estimated phase
costs alone); one after-NAME.wav and one model-NAME.joblib a network;
reconstruction.png, as figure 2 of the paper; and reconstruction.csv, the
distances of the spectrograms.

--model takes the path of a model that was saved, by this command or with
joblib: a pipeline of MelSpectrogram and CompressiveAutoencoder. Results are
named after these files. OPENING SUCH A FILE RUNS CODE FROM IT: open only files
of your own.

Trained here, networks are small (32 filters of 3 x 3, crops of 64 x 64) and
take some minutes on a laptop; --full is the paper's size, for a GPU.

example:
  skperceptual reconstruct song.mp3 --offset 30 -o out
"""


def add_parser(commands: argparse._SubParsersAction[argparse.ArgumentParser]) -> None:
    """Add this command to the parser.

    Parameters
    ----------
    commands : subparsers of an ArgumentParser
        Where it is added.
    """
    parser = commands.add_parser(
        "reconstruct",
        help="send a recording through autoencoders trained with perceptual losses",
        description=_DESCRIPTION,
        epilog=_EPILOG,
        formatter_class=argparse.RawDescriptionHelpFormatter,
    )
    parser.add_argument("audio", metavar="AUDIO", help="the recording, an audio file")
    parser.add_argument(
        "-o", "--output", metavar="DIR", type=Path, required=True, help="folder for the results"
    )
    parser.add_argument(
        "--model",
        metavar="FILE",
        dest="models",
        action="append",
        type=Path,
        default=[],
        help="a saved model instead of training; once for each",
    )
    parser.add_argument(
        "--offset",
        metavar="SECONDS",
        dest="offset_seconds",
        type=seconds,
        default=0.0,
        help="where to begin (default: at its start)",
    )
    parser.add_argument(
        "--duration",
        metavar="SECONDS",
        dest="duration_seconds",
        type=positive_seconds,
        default=_PAPER_SECONDS,
        help="how much to take, or to the end if there is less (default: %(default)s)",
    )
    parser.add_argument(
        "--overwrite",
        action="store_true",
        help="replace results that are in the folder, and unfinished trainings with other options",
    )
    parser.add_argument("--quiet", action="store_true", help="no progress bars, only the table")
    training = parser.add_argument_group("training")
    training.add_argument(
        "--loss",
        dest="losses",
        action="append",
        choices=_LOSSES,
        help=f"a loss to train with; once for each (default: {', '.join(_DEFAULT_LOSSES)})",
    )
    training.add_argument(
        "--train", metavar="DIR", type=Path, help="folder of music to train on, beside noise"
    )
    training.add_argument(
        "--iterations",
        metavar="N",
        type=whole_number,
        default=425,
        help="batches to train with (default: %(default)s)",
    )
    training.add_argument("--full", action="store_true", help="the paper's size of networks")
    training.add_argument(
        "--seed", metavar="N", type=seed, default=0, help="seed (default: %(default)s)"
    )
    parser.set_defaults(run=_run)


def _run(arguments: argparse.Namespace) -> int:
    # Pictures go to files: no window system is needed, nor started.
    os.environ.setdefault("MPLBACKEND", "Agg")
    from skperceptual.cli.reconstruction import Recipe, reconstruct_file

    recipe = Recipe(
        losses=tuple(dict.fromkeys(arguments.losses or _DEFAULT_LOSSES)),
        music=arguments.train,
        iterations=arguments.iterations,
        full=arguments.full,
        seed=arguments.seed,
    )
    table = reconstruct_file(
        arguments.audio,
        arguments.output,
        arguments.models or recipe,
        offset_seconds=arguments.offset_seconds,
        duration_seconds=arguments.duration_seconds,
        overwrite=arguments.overwrite,
        quiet=arguments.quiet,
    )
    print(table.to_string(index=False, float_format="{:.4g}".format))
    return 0
