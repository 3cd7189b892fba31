"""What the cello paper claims, measured on instruments whose difference is known.

P. Verma and J. Berger (arXiv:1912.05683) had one expensive and one cheap cello, and no number but
an accuracy of 93 % on excerpts of 3 s. Here simulated cellos stand in, of which no instrument and
no piece is in both training and test data:

=============== ==================================================================================
``accuracy``    on unseen instruments, several draws of them, and without any contrast
``instruments`` whether more instruments or more excerpts of each are what a score needs
``folds``       for each contrast by cross-validation, instruments and pieces of a fold both unseen
``sizes``       how small the network may be
``saliency``    how much of a class-activation map lies on vibrato and transitions
``masks``       the equaliser: scores, transfer, roughness, and masks against the known bodies
``recordings``  two real cellos and a sampled one, told apart before and after what the recording
                adds is taken off as far as it goes
=============== ==================================================================================

Every row is saved as soon as it is there, so that a run that was interrupted goes on where it was:

    python benchmarks/papers/cello.py --work FOLDER -o benchmarks/results [--recordings FOLDER]

It takes about two hours on one core. ``--tiny`` takes minutes, to see that it runs.
"""

from __future__ import annotations

import argparse
from pathlib import Path
from time import perf_counter

import cello_masks
import cello_recordings
import cello_scores
from cello_common import FULL, TINY, Work

STAGES = ("accuracy", "instruments", "folds", "sizes", "saliency", "masks", "recordings")


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("-o", "--output", type=Path, required=True, help="folder for the tables")
    parser.add_argument("--work", type=Path, required=True, help="folder to resume from")
    parser.add_argument("--recordings", type=Path, help="folder of real cellos with manifest.csv")
    parser.add_argument("--only", nargs="+", choices=STAGES, default=STAGES)
    parser.add_argument("--tiny", action="store_true", help="minutes, to see that it runs")
    parser.add_argument("--device", default="auto")
    arguments = parser.parse_args()
    try:
        work = Work(arguments.work, TINY if arguments.tiny else FULL, arguments.device)
    except ValueError as error:
        parser.error(str(error))
    arguments.output.mkdir(parents=True, exist_ok=True)
    start = perf_counter()
    for stage in arguments.only:
        print(f"{stage}:", flush=True)
        if stage in ("accuracy", "instruments", "folds", "sizes", "saliency"):
            table = getattr(cello_scores, stage)(work)
        elif stage == "masks":
            table = cello_masks.masks(work)
        elif arguments.recordings is None:
            print("  left out: name the folder with --recordings")
            continue
        else:
            table = cello_recordings.recordings(work, arguments.recordings)
        table.round(3).to_csv(arguments.output / f"cello_{stage}.csv", index=False)
        print(table.round(3).to_string(index=False), flush=True)
    cello_masks.draw_figures(work, arguments.output)
    print(f"\n{perf_counter() - start:.0f} s in all")


if __name__ == "__main__":
    main()
