"""Who plays what: pieces for every split, and places in them for every instrument."""

from __future__ import annotations

from typing import NamedTuple

import numpy as np

from skperceptual.datasets.cello_synthesis.etudes import ETUDE_SECONDS
from skperceptual.utils.messages import counted


class Excerpt(NamedTuple):
    """A part of a piece.

    Parameters
    ----------
    piece : int
        Which one, from 0 on.
    start_seconds : float
        Where in it, as it is written.
    """

    piece: int
    start_seconds: float


def share_out_pieces(n_pieces: int, sizes: dict[str, int]) -> dict[str, range]:
    """Give each split pieces of its own, one at least, and otherwise by its size.

    Parameters
    ----------
    n_pieces : int
        How many there are.
    sizes : dict of str to int
        Number of instruments of each split.

    Returns
    -------
    dict of str to range
        The pieces of each split that has instruments.

    Raises
    ------
    ValueError
        When there are fewer pieces than such splits.
    """
    played = [split for split, size in sizes.items() if size]
    if n_pieces < len(played):
        raise ValueError(
            f"n_pieces={n_pieces} is not enough for {len(played)} splits ({', '.join(played)}), "
            "which share no piece. Ask for one piece a split at least."
        )
    total = sum(sizes.values())
    pieces, first = {}, 0
    for place, split in enumerate(played):
        left = len(played) - place - 1
        share = max(1, round(n_pieces * sizes[split] / total)) if left else n_pieces
        last = min(first + share, n_pieces - left)
        pieces[split] = range(first, last)
        first = last
    return pieces


def choose_excerpts(
    pieces: range, n_excerpts: int, duration_seconds: float, seed: list[int]
) -> list[Excerpt]:
    """Choose places in pieces that do not overlap, in as many pieces as can be.

    Parameters
    ----------
    pieces : range
        The pieces to choose from.
    n_excerpts : int
        How many to choose.
    duration_seconds : float
        Length of each.
    seed : list of int
        Where the choice comes from.

    Returns
    -------
    list of Excerpt
        Each begins at a whole number of durations.

    Raises
    ------
    ValueError
        When the pieces have not that many.
    """
    rng = np.random.default_rng(seed)
    per_piece = int(ETUDE_SECONDS / duration_seconds + 1e-9)
    if n_excerpts > per_piece * len(pieces):
        raise ValueError(
            f"excerpts_per_instrument={n_excerpts} of duration_seconds={duration_seconds!r} do not "
            f"fit into {counted(len(pieces), 'piece')} of {ETUDE_SECONDS:.0f} s, which this split "
            "has. Take fewer or shorter excerpts, or raise n_pieces."
        )
    slots = {piece: list(rng.permutation(per_piece)) for piece in pieces}
    order: list[int] = []
    while len(order) < n_excerpts:
        order += rng.permutation(pieces).tolist()
    return [
        Excerpt(piece, float(slots[piece].pop()) * duration_seconds) for piece in order[:n_excerpts]
    ]
