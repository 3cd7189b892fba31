"""Train the encoder that the package ships, or a variant with recordings.

    python benchmarks/encoder/train.py --procedural -o FILE.npz
    python benchmarks/encoder/train.py --recordings FOLDER -o FILE.npz

--procedural, which is shipped, needs no recordings: music and sounds like speech are made from the
seed. FOLDER holds music/, speech/ and cello/. The recordings that training_files.csv names are
read, and none whose SHA-256 is another; --list writes that file anew from the manifest.csv in each
of the folders, which says the licence of every recording. Less than a minute on one core.
"""

from __future__ import annotations

import argparse
import hashlib
import io
from pathlib import Path

import numpy as np
from dictionary import learn_dictionary
from sources import LISTING, clean_clips, list_recordings

from skperceptual.networks import AuditoryEncoder

N_ATOMS = 512


def save(encoder: AuditoryEncoder, path: Path) -> str:
    """Write the values as the package reads them, and give the file's SHA-256."""
    buffer = io.BytesIO()
    values = {name: value.numpy() for name, value in encoder.state_dict().items()}
    np.savez_compressed(buffer, **values)
    path.write_bytes(buffer.getvalue())
    return hashlib.sha256(buffer.getvalue()).hexdigest()


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    what = parser.add_mutually_exclusive_group(required=True)
    what.add_argument("--recordings", type=Path, help="folder of recordings")
    what.add_argument("--procedural", action="store_true", help="from the seed alone")
    parser.add_argument("-o", "--output", type=Path, required=True, help="the file to write")
    parser.add_argument("--seed", type=int, default=0, help="where all chance comes from")
    parser.add_argument("--list", action="store_true", help="list the recordings anew first")
    arguments = parser.parse_args()
    if arguments.list:
        if arguments.procedural:
            parser.error("--list goes with --recordings: there is nothing to list otherwise.")
        list_recordings(arguments.recordings).to_csv(LISTING, index=False)
    clean = clean_clips(arguments.recordings, arguments.seed)
    encoder = learn_dictionary(clean, N_ATOMS, arguments.seed)
    print(f"{arguments.output}: SHA-256 {save(encoder, arguments.output)}")


if __name__ == "__main__":
    main()
