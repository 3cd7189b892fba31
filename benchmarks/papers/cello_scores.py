"""How well the classes are told apart, by how small a network, and what it looks at."""

from __future__ import annotations

from functools import partial
from typing import Any

import numpy as np
import pandas as pd
from cello_common import CONTRASTS, CUE, FRONT_END, Work, interval_of_groups
from sklearn.pipeline import make_pipeline
from sklearn.utils import Bunch

from skperceptual.inspection import saliency_maps


def accuracy(work: Work) -> pd.DataFrame:
    """Classify excerpts of instruments and pieces that were held out, with and without contrast."""
    for contrast in ("both", "none"):
        for seed in work.size.seeds:
            work.rows(
                "accuracy",
                {"contrast": contrast, "seed": seed},
                partial(_held_out, work, contrast, seed, work.size.filters),
            )
    return _summarise(work.table("accuracy"), ["contrast"])


def instruments(work: Work) -> pd.DataFrame:
    """Take half as many excerpts of three times as many instruments."""
    for seed in work.size.seeds:
        for more in (False, True):
            options = work.size.more_instruments if more else work.size.data
            work.rows(
                "instruments",
                {"excerpts_per_instrument": options["excerpts_per_instrument"], "seed": seed},
                partial(_held_out, work, "both", seed, work.size.filters, more_instruments=more),
            )
    scores = work.table("instruments")
    return _summarise(scores, ["excerpts_per_instrument", "n_trained"])


def sizes(work: Work) -> pd.DataFrame:
    """Do the same with other sizes, and other ways to know the frequency, with one seed."""
    variants = [(filters, CUE) for filters in (work.size.filters, *work.size.other_filters)]
    variants += [(work.size.filters, cue) for cue in ("coordinate", None)]
    for seed in work.size.seeds[:1]:
        for filters, cue in variants:
            work.rows(
                "sizes",
                {"n_filters": "-".join(map(str, filters)), "cue": str(cue).lower(), "seed": seed},
                partial(_held_out, work, "both", seed, filters, cue),
            )
    scores = work.table("sizes")
    return _summarise(scores, ["n_filters", "cue"]).sort_values("n_parameters")


def folds(work: Work) -> pd.DataFrame:
    """Cross-validate so that neither the instruments nor the pieces of a fold are known."""
    for contrast in CONTRASTS:
        for fold in range(work.size.n_folds):
            work.rows(
                "folds",
                {"contrast": contrast, "fold": fold},
                partial(_cross_validate, work, contrast, fold),
            )
    return _summarise(work.table("folds").assign(seed=0), ["contrast"])


def saliency(work: Work) -> pd.DataFrame:
    """Say how much of the maps for class A lies on frames of each state, against steady ones."""
    for contrast in ("both", "damping"):
        work.rows("saliency", {"contrast": contrast}, partial(_state_shares, work, contrast))
    return work.table("saliency")


def _held_out(
    work: Work,
    contrast: str,
    seed: int,
    filters: tuple[int, ...],
    cue: str | None = CUE,
    *,
    more_instruments: bool = False,
) -> list[dict[str, Any]]:
    data = work.data(contrast, seed, more_instruments=more_instruments)
    scorer = work.scorer(contrast, seed, filters, cue, more_instruments=more_instruments)
    rows = np.flatnonzero(data.split == "test")
    trained = {
        "n_trained": len(set(data.groups[data.split != "test"])),
        "n_parameters": count_parameters(scorer),
        "n_epochs": scorer.n_iter_,
        "fit_seconds": scorer.fit_seconds_,
    }
    return _list_scores(data, rows, scorer.predict_proba(data.images[rows])[:, 1], trained)


def _cross_validate(work: Work, contrast: str, fold: int) -> list[dict[str, Any]]:
    data = work.folds_data(contrast)
    # Instrument 7 of both classes is in one fold, and so is whatever piece has its turn.
    number = data.frame["instrument"].str.split().str[1].astype(int).to_numpy()
    piece = data.frame["piece"].str.split().str[1].astype(int).to_numpy()
    unseen = [labels % work.size.n_folds == fold for labels in (number, piece)]
    train = np.flatnonzero(~unseen[0] & ~unseen[1])
    test = np.flatnonzero(unseen[0] & unseen[1])
    scorer = work.classifier(fold, work.size.filters)
    scorer.fit(data.images[train], data.target[train], groups=data.groups[train])
    trained = {"n_parameters": count_parameters(scorer), "n_epochs": scorer.n_iter_}
    return _list_scores(data, test, scorer.predict_proba(data.images[test])[:, 1], trained)


def _list_scores(
    data: Bunch, rows: np.ndarray, scores: np.ndarray, more: dict[str, Any]
) -> list[dict[str, Any]]:
    return [
        {
            "instrument": data.groups[row],
            "piece": data.piece[row],
            "score": score,
            "correct": float((score > 0.5) == (data.target[row] == "B")),
            **more,
        }
        for row, score in zip(rows, scores, strict=True)
    ]


def _summarise(scores: pd.DataFrame, by: list[str]) -> pd.DataFrame:
    """Give accuracies, the spread over seeds, and intervals over draws of instruments."""
    rows = []
    for key, part in scores.groupby(by, sort=False):
        # Instruments of two seeds are others, whatever their names.
        names = part["seed"].astype(str) + " " + part["instrument"]
        low, high = interval_of_groups(part["correct"].to_numpy(), names.to_numpy())
        by_seed = part.groupby("seed")["correct"].mean()
        seeds = {"lowest_seed": by_seed.min(), "highest_seed": by_seed.max()}
        numbers = [name for name in ("n_parameters", "fit_seconds") if name in part]
        rows.append(
            {
                **dict(zip(by, key, strict=True)),
                "accuracy": by_seed.mean(),
                "low": low,
                "high": high,
                **(seeds if len(by_seed) > 1 else {}),
                "n_instruments": names.nunique(),
                "n_excerpts": len(part),
                **part[numbers].mean().round().astype(int).to_dict(),
            }
        )
    return pd.DataFrame(rows)


def _state_shares(work: Work, contrast: str) -> list[dict[str, Any]]:
    """Compare the mass of positive maps in frames of each state with that in steady ones."""
    data = work.data(contrast, work.size.seeds[0])
    scorer = work.scorer(contrast, work.size.seeds[0])
    chosen = np.flatnonzero((data.split == "test") & (data.target == "A"))
    model = make_pipeline(FRONT_END, scorer)
    maps = saliency_maps(model, data.signals[chosen], method="cam", target="A")
    mass = np.array([np.maximum(found.map, 0).mean(axis=0) for found in maps])
    energy = np.exp(2 * data.images[chosen]).mean(axis=1)
    states = data.states[chosen]
    rows = []
    for name in ("vibrato", "transition"):
        for quantity, values in (("map", mass), ("energy", energy)):
            ratios, owners = _ratios_to_steady(values, states, data, name, chosen)
            if len(ratios) == 0:  # a scorer that finds nothing that speaks for A
                continue
            low, high = interval_of_groups(ratios, owners)
            rows.append(
                {
                    "state": name,
                    "quantity": quantity,
                    "ratio_to_steady": float(np.exp(np.mean(ratios))),
                    "low": float(np.exp(low)),
                    "high": float(np.exp(high)),
                    "n_excerpts": len(ratios),
                    "n_instruments": len(set(owners)),
                }
            )
    return rows


def _ratios_to_steady(
    values: np.ndarray, states: np.ndarray, data: Bunch, name: str, chosen: np.ndarray
) -> tuple[np.ndarray, np.ndarray]:
    """Give the logarithm of the ratio in each excerpt that has enough of both states."""
    wanted, steady = (data.state_names.index(state) for state in (name, "steady"))
    ratios, owners = [], []
    for row, value, state in zip(chosen, values, states, strict=True):
        frames = [value[state == which] for which in (wanted, steady)]
        if min(map(len, frames)) >= 20 and min(part.mean() for part in frames) > 0:
            ratios.append(np.log(frames[0].mean() / frames[1].mean()))
            owners.append(data.groups[row])
    return np.array(ratios), np.array(owners)


def count_parameters(scorer: Any) -> int:
    """Count the weights that were trained."""
    return sum(part.numel() for part in scorer.net_.module_.parameters() if part.requires_grad)
