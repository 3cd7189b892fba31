"""ViSQOL on recordings that people rated: Google's map, the shipped one, and maps refitted.

Each set is a folder with ``ratings.csv`` and audio: speech in noise (p835_FB48), separated vocals
(cvssp_sep_mushra), neural speech codecs (neural_codec_mushra). Whole clips at 48 kHz, as the maps
for audio want them; ViSQOL undoes delays itself. Refitted maps are judged on source recordings
held out (five folds, four where there are four talkers). The strength of their penalties was
chosen on these very sets, so that the refitted rows flatter themselves a little.

Run it with:

    python benchmarks/papers/visqol_on_rated_sets.py FOLDER --model FILE -o benchmarks/results

where FOLDER holds the sets and FILE is Google's map (``fetch_visqol_model()`` gives its path, and
is asked without --model). It takes about a minute on two cores.
"""

from __future__ import annotations

import argparse
import warnings
from pathlib import Path

import numpy as np
import pandas as pd
from audio_quality_on_rated_sets import judge, lay_out
from sklearn.model_selection import GroupKFold, cross_val_predict

from skperceptual import LoadAudio, ViSQOL
from skperceptual.datasets import fetch_visqol_model, load_rated_pairs
from skperceptual.full_reference.visqol.fitted_map import make_regressor

SETS = {
    "p835_FB48": ("MOS_OVRL", "speaker"),
    "cvssp_sep_mushra": ("quality_mean", "track_id"),
    "neural_codec_mushra": ("mean", "signal"),
}
REFITTED = {
    "refitted, nu-SVR, out of fold": "nusvr",
    "refitted, monotone, out of fold": "monotone",
}


def load_set(folder: Path, name: str, google: Path) -> pd.DataFrame:
    """Give one row a pair: rating, source recording, both ready maps' ratings, similarities."""
    rating, group = SETS[name]
    data = load_rated_pairs(
        folder / name / "ratings.csv",
        reference="ref_file",
        degraded="file",
        rating=rating,
        group=group,
        hidden_references="include",
        unusable_files="exclude",
    )
    signals = LoadAudio(sr=48000, unequal="keep").transform(data.pairs)
    return pd.DataFrame(
        {
            "rating": data.target,
            "group": data.groups,
            "hidden": (data.pairs["reference"] == data.pairs["degraded"]).to_numpy(),
            "Google's map": ViSQOL(model=google, n_jobs=-1).predict(signals),
            "shipped map": ViSQOL(n_jobs=-1).predict(signals),
            "similarities": list(ViSQOL(n_jobs=-1).transform(signals)),
        }
    )


def judge_maps(rows: pd.DataFrame) -> dict[str, dict[str, float]]:
    """Correlate what each map gives with the ratings."""
    results = {name: judge(rows[name].to_numpy(), rows) for name in ("Google's map", "shipped map")}
    folds = GroupKFold(min(5, rows["group"].nunique()))
    X, y, groups = np.stack(rows["similarities"]), rows["rating"].to_numpy(), rows["group"]
    for name, regressor in REFITTED.items():
        predicted = cross_val_predict(make_regressor(regressor), X, y, groups=groups, cv=folds)
        results[name] = judge(predicted, rows)
    return results


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("folder", type=Path, help="folder that holds the rated sets")
    parser.add_argument("--model", type=Path, help="Google's map, in libsvm's text format")
    parser.add_argument("-o", "--output", type=Path, required=True, help="folder for the tables")
    arguments = parser.parse_args()
    warnings.filterwarnings("ignore", message="The interval rests on 4 groups")
    warnings.filterwarnings("ignore", message=".*rated rows name files that cannot be used")
    google = arguments.model or fetch_visqol_model()
    results = []
    for name in SETS:
        everything = load_set(arguments.folder, name, google)
        for hidden, rows in (("without", everything[~everything["hidden"]]), ("with", everything)):
            for map_name, found in judge_maps(rows).items():
                results.append({"set": name, "hidden refs": hidden, "map": map_name, **found})
                print(pd.DataFrame(results[-1:]).to_string(index=False, header=False), flush=True)
    table = pd.DataFrame(results)
    arguments.output.mkdir(parents=True, exist_ok=True)
    table.to_csv(arguments.output / "visqol_rated_sets.csv", index=False)
    wide = lay_out(table, rows=["map", "hidden refs"], columns="set")
    wide.to_csv(arguments.output / "visqol_rated_sets_table.csv", index=False)


if __name__ == "__main__":
    main()
