"""Which encoder is shipped, and what it is worth: similarities against what people said.

Variants are chosen on two sets, separated vocals (quality) and tones of instruments (likeness), by
the mean of the absolute Spearman correlations. Two further sets, speech in noise and neural speech
codecs, are looked at once, with the baselines and the encoder that is shipped:

    python benchmarks/encoder/selection.py RECORDINGS RATED CACHE -o benchmarks/results
    python benchmarks/encoder/selection.py RECORDINGS RATED CACHE -o benchmarks/results --held-out

RECORDINGS is the folder that train.py reads, RATED that of the rated sets; CACHE, 0.7 GB, keeps
degraded clips, which are made where they are not there yet. What has
been judged before (encoder_seeds.csv, encoder_held_out.csv) is laid out anew, not judged again.
"""

from __future__ import annotations

import argparse
import warnings
from collections.abc import Iterator
from itertools import chain, combinations
from pathlib import Path

import pandas as pd
import rated_sets
import torch
from baselines import RandomConvolutions, embed_with, make_baselines
from degraded_clips import load_clips, make_clips, to_floats
from dictionary import learn_dictionary, random_dictionary
from rankings import Batches, Recipe, snapshots
from sources import clean_clips

from skperceptual.embeddings.shipped import AuditoryEmbedding
from skperceptual.networks import AuditoryEncoder

SEEDS = (0, 1, 2)
RANKING_SEEDS = (0, 1)
STEPS = (20, 80)
N_ATOMS = (128, 256, 512)
RECIPES = {
    "NLPD": {"teachers": ("nlpd",)},
    "NLPD, MS-SSIM, NSIM": {"teachers": ("nlpd", "ms_ssim", "nsim")},
    "NLPD, MSE, other sounds harmless": {
        "teachers": ("nlpd", "mse"),
        "harmless": ("interference",),
    },
    "NLPD, and which clip it is": {"teachers": ("nlpd",), "contrast_weight": 0.3},
}
Rows = Iterator[tuple[str, str, int, object]]


def learned_alone(encoder: AuditoryEncoder) -> object:
    return lambda signals: encoder.resemblance(encoder.channels(encoder.levels(signals)))


def channel_subsets() -> dict[str, object]:
    """Give the formulas without a dictionary: every channel, every two, all three."""
    encoder = AuditoryEncoder(n_atoms=0)
    places = {"sustained": (0, 64), "adapted": (64, 128), "transient": (128, 256)}

    def keep(names: tuple[str, ...]) -> object:
        kept = torch.cat([torch.arange(*places[name]) for name in names])
        return lambda signals: encoder(signals)[..., kept]

    subsets = [names for n in (1, 2, 3) for names in combinations(places, n)]
    return {f"{' + '.join(names)}, no dictionary": keep(names) for names in subsets}


def variants(cache: Path) -> Rows:
    """Give kind, name, seed and module of everything that is compared but the baselines."""
    clips = load_clips(cache)
    clean = to_floats(clips.clean)
    for seed in SEEDS:
        yield "baseline", "random convolutions", seed, RandomConvolutions(clean, seed)
        drawn = random_dictionary(clean, 512, seed)
        yield "baseline", "random dictionary of 512", seed, learned_alone(drawn)
    for name, module in channel_subsets().items():
        yield "variant", name, 0, module
    for seed in SEEDS:
        frames = learn_dictionary(clean, 512, seed, n_rounds=0)
        yield "variant", "512 frames by chance", seed, frames
        for n_atoms in N_ATOMS:
            encoder = learn_dictionary(clean, n_atoms, seed)
            yield "variant", f"dictionary of {n_atoms}", seed, encoder
        yield "variant", "dictionary of 512 alone", seed, learned_alone(encoder)
        procedural = learn_dictionary(clean_clips(None, seed), 512, seed)
        yield "variant", "dictionary of 512, procedural", seed, procedural
    batches = Batches(clips)
    for seed in RANKING_SEEDS:
        start = learn_dictionary(clean, max(N_ATOMS), seed)
        for name, recipe in RECIPES.items():
            for step, encoder in snapshots(
                start, batches, Recipe(**recipe, random_state=seed), STEPS
            ):
                yield (
                    "variant",
                    f"dictionary of 512, {step} steps of ranking: {name}",
                    seed,
                    encoder,
                )


def judge_all(sets: dict, cache: Path) -> pd.DataFrame:
    """Judge everything on all sets: one row a variant, seed and set."""
    fixed = (("baseline", name, 0, embed) for name, embed in make_baselines().items())
    drawn = ((kind, name, seed, embed_with(module)) for kind, name, seed, module in variants(cache))
    rows = []
    for kind, name, seed, embed in chain(fixed, drawn):
        for set_name, rated in sets.items():
            row = {"kind": kind, "name": name, "seed": seed, "set": set_name}
            rows.append(row | rated.judge(rated.similarities(embed)))
        print(name, seed, *(f"{row['spearman']:.3f}" for row in rows[-len(sets) :]), flush=True)
    return pd.DataFrame(rows)


def lay_out_selection(table: pd.DataFrame) -> pd.DataFrame:
    """Give one row a variant, the best last; numbers and ends of intervals are means over seeds."""
    means = table.groupby(["kind", "name", "set"])[["spearman", "low", "high"]].mean()
    wide = cells(means).unstack("set")[list(dict.fromkeys(table["set"]))]
    by_seed = table.assign(size=table["spearman"].abs()).groupby(["kind", "name", "seed"])
    over_seeds = by_seed["size"].mean().groupby(["kind", "name"]).agg(["mean", "std", "count"])
    wide["mean absolute"] = over_seeds["mean"].map("{:.3f}".format)
    wide["sd over seeds"] = over_seeds["std"].map("{:.3f}".format).replace("nan", "")
    wide["seeds"] = over_seeds["count"]
    order = over_seeds["mean"].to_frame().sort_values(["kind", "mean"]).index
    return wide.loc[order].reset_index()


def lay_out_shipped(table: pd.DataFrame, columns: list[str]) -> pd.DataFrame:
    """Give one row a similarity and a column a set; numbers are means over seeds."""
    means = table.dropna(subset=columns).groupby(["set", "name"])[columns].mean()
    wide = cells(means.set_axis(["spearman", "low", "high"], axis=1)).unstack("set")
    order = [name for name in dict.fromkeys(table["name"]) if name in wide.index]
    return wide.loc[order, list(dict.fromkeys(table["set"]))].reset_index()


def cells(table: pd.DataFrame) -> pd.Series:
    return table.apply("{0[spearman]:.2f} [{0[low]:.2f}, {0[high]:.2f}]".format, axis=1)


def look_once(sets: dict, cache: Path) -> pd.DataFrame:
    """Judge what is shipped beside all baselines: one row a similarity, seed and set."""
    clean = to_floats(load_clips(cache).clean)
    embeds = {(name, 0): embed for name, embed in make_baselines().items()}
    for seed in SEEDS:
        drawn = learned_alone(random_dictionary(clean, 512, seed))
        embeds["random convolutions", seed] = embed_with(RandomConvolutions(clean, seed))
        embeds["random dictionary of 512", seed] = embed_with(drawn)
    embeds["shipped", 0] = embed_with(AuditoryEmbedding().to_module())
    rows = []
    for set_name, rated in sets.items():
        values = {key: rated.similarities(embed) for key, embed in embeds.items()}
        about = {"set": set_name, "pairs": len(rated.pairs), "groups": rated.n_groups}
        for name, seed in embeds:
            row = about | {"name": name, "seed": seed} | rated.judge(values[name, seed])
            if name != "shipped":
                row |= rated.difference(values["shipped", 0], values[name, seed])
            rows.append(row)
        print(set_name, *(f"{row['name']} {row['spearman']:.3f};" for row in rows[-len(embeds) :]))
    return pd.DataFrame(rows)


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("recordings", type=Path, help="folder of recordings")
    parser.add_argument("rated", type=Path, help="folder of the rated sets")
    parser.add_argument("cache", type=Path, help="folder of degraded clips")
    parser.add_argument("-o", "--output", type=Path, required=True, help="folder for the tables")
    parser.add_argument(
        "--held-out", action="store_true", help="judge what is shipped, on all sets"
    )
    arguments = parser.parse_args()
    warnings.filterwarnings("ignore", message="The interval rests on")
    warnings.filterwarnings("ignore", message="The delays of")
    warnings.filterwarnings("ignore", message="One metric rises with ratings")
    warnings.filterwarnings("ignore", message=".*mel filters hold no bin")
    names = rated_sets.SELECTION + (rated_sets.HELD_OUT if arguments.held_out else ())
    path = arguments.output / (
        "encoder_held_out.csv" if arguments.held_out else "encoder_seeds.csv"
    )
    if not (arguments.cache / "frame.csv").exists():
        make_clips(clean_clips(arguments.recordings, 0), arguments.cache, random_state=0)
    if not path.exists():
        sets = {name: rated_sets.load_set(arguments.rated, name) for name in names}
        judge = look_once if arguments.held_out else judge_all
        table = judge(sets, arguments.cache)
        table.to_csv(path, index=False, float_format="%.4f")
    table = pd.read_csv(path)
    if arguments.held_out:
        laid_out = {
            "encoder_shipped": lay_out_shipped(table, ["spearman", "low", "high"]),
            "encoder_lead": lay_out_shipped(table, list(rated_sets.DIFFERENCE)),
        }
    else:
        laid_out = {"encoder_selection": lay_out_selection(table)}
    for name, shown in laid_out.items():
        shown.to_csv(arguments.output / f"{name}.csv", index=False)
        print(shown.to_string(index=False))


if __name__ == "__main__":
    main()
