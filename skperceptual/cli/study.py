"""``skperceptual study``: recordings in, a study of metrics on degraded versions of them out."""

from __future__ import annotations

import argparse
from pathlib import Path

from skperceptual.cli.errors import CommandError
from skperceptual.cli.options import number_of_jobs, positive_seconds, seed
from skperceptual.cli.study_request import (
    METRICS,
    SEED,
    USUAL_METRICS,
    Request,
    list_metrics,
)

__all__ = ["add_parser"]

_DESCRIPTION = """\
Degrade recordings in nine ways, score every version with metrics, and show how
the metrics follow the damage and one another: above all, how similarities of
embeddings follow PESQ and STOI. Recordings are converted to 16 kHz mono; white
noise, resampling ("bitrate") and quantisation ("compression") at three levels
each are those of S. Ghosh, Implementation of a neural network-based perceptual
loss for audio, seminar report, TU Ilmenau, 2025. What comes out is a folder
with study.html, one page that needs nothing else, and tables in CSV. After an
interruption the same command goes on from where it stopped."""

_EPILOG = f"""\
metrics by name (default: {" ".join(USUAL_METRICS)}, as far as
their packages and weights are found):
{list_metrics()}

The content of a recording, such as speech or music, is the name of the first
folder below the folder that is given, of that folder itself for files that lie
in it, and of its folder for a file that is given by its own name; or what
--content says. Results are shown by content, and for all of them together.

examples:
  skperceptual study recordings/speech recordings/music -o out/
  skperceptual study --content speech talks/ call.wav --content music songs/ \\
      --also nlpd ms-ssim -o out/
"""


def add_parser(commands: argparse._SubParsersAction[argparse.ArgumentParser]) -> None:
    """Add this command to the parser.

    Parameters
    ----------
    commands : subparsers of an ArgumentParser
        Where it is added.
    """
    parser = commands.add_parser(
        "study",
        help="see how metrics follow nine degradations of your recordings",
        description=_DESCRIPTION,
        epilog=_EPILOG,
        formatter_class=argparse.RawDescriptionHelpFormatter,
    )
    parser.add_argument(
        "audio",
        metavar="AUDIO",
        nargs="*",
        type=Path,
        help="recordings, and folders of them with all their sub-folders",
    )
    parser.add_argument(
        "--content",
        metavar=("NAME", "AUDIO"),
        nargs="+",
        action="append",
        default=[],
        help="further recordings and folders, and what they are recordings of",
    )
    parser.add_argument(
        "-o",
        "--output",
        metavar="DIR",
        type=Path,
        required=True,
        help="folder for the study, made where it is missing; all of its files are written at the "
        "end, or none; until then scores are kept in all_metrics.csv.part",
    )
    parser.add_argument(
        "--overwrite", action="store_true", help="replace the study that is in the folder"
    )
    parser.add_argument(
        "--metrics",
        metavar="NAME",
        nargs="+",
        action="extend",
        default=[],
        choices=METRICS,
        help="metrics of the list below, in place of the usual ones",
    )
    parser.add_argument(
        "--also",
        metavar="NAME",
        nargs="+",
        action="extend",
        default=[],
        choices=METRICS,
        help="metrics of the list below, in addition to the others",
    )
    parser.add_argument(
        "--duration",
        metavar="SECONDS",
        dest="duration_seconds",
        type=positive_seconds,
        help="how much of every recording to take at most (default: all of it)",
    )
    parser.add_argument(
        "--seed",
        metavar="N",
        type=seed,
        default=SEED,
        help="seed of the noise (default: %(default)s)",
    )
    parser.add_argument(
        "--keep-audio",
        action="store_true",
        help="write the converted recordings and their versions to the folder audio/ of the study",
    )
    parser.add_argument(
        "-j",
        "--n-jobs",
        metavar="N",
        type=number_of_jobs,
        default=1,
        help="number of processes, -1 for one a processor (default: %(default)s)",
    )
    parser.add_argument(
        "--quiet", action="store_true", help="no progress bar and no summary, only problems"
    )
    parser.set_defaults(run=_run)


def _run(arguments: argparse.Namespace) -> int:
    given = [(None, path) for path in arguments.audio]
    for name, *paths in arguments.content:
        if not paths:
            raise CommandError(
                f"--content {name} names no recordings. Write --content {name} AUDIO..."
            )
        given += [(name, Path(path)) for path in paths]
    if not given:
        raise CommandError("there is nothing to study. Name recordings, or folders of them.")
    request = Request(
        audio=tuple(given),
        output=arguments.output,
        metrics=tuple(arguments.metrics),
        also=tuple(arguments.also),
        duration_seconds=arguments.duration_seconds,
        seed=arguments.seed,
        keep_audio=arguments.keep_audio,
        overwrite=arguments.overwrite,
        n_jobs=arguments.n_jobs,
        quiet=arguments.quiet,
        command=tuple(arguments.given),
    )
    from skperceptual.cli.study_run import run_study

    run_study(request)
    return 0
