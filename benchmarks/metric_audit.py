"""Audits of this package's metrics, and of some on waveforms: what is violated, what things cost.

Thirteen clips of synthesised music, 4.208 s at 48 kHz, under the four degradations of PMQD at
eleven severities; metrics on spectrograms resample to 16 kHz. Costs are shares of each metric's own
scale, in percent.

Run it with: python benchmarks/metric_audit.py -o benchmarks/results
It takes about five minutes on one core.
"""

from __future__ import annotations

import argparse
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
from sklearn.pipeline import make_pipeline
from sklearn.preprocessing import FunctionTransformer

from skperceptual import (
    MSE,
    MSSSIM,
    NLPD,
    SSIM,
    AlignPairs,
    MelSpectrogram,
    Normalize,
    PMQDDistortion,
    PMQDLimiter,
    PMQDLowpass,
    PMQDNoise,
    Resample,
)
from skperceptual.datasets import make_music
from skperceptual.evaluation import audit_metric

GAINS_DB = (-20.0, -6.0, -1.0, 1.0, 6.0, 20.0)
DELAYS_MS = (1.0, 5.0, 10.0, 20.0, 50.0)


def waveform_error(pairs):
    """Give the mean squared difference of the samples."""
    return np.mean((pairs[:, 0] - pairs[:, 1]) ** 2, axis=1)


def signal_to_noise(pairs):
    """Give the ratio of the reference to the difference, in dB."""
    with np.errstate(divide="ignore", invalid="ignore"):
        return 10 * np.log10(np.mean(pairs[:, 0] ** 2, axis=1) / waveform_error(pairs))


def make_audited(references: Any, sr: int) -> dict[str, tuple[Any, dict[str, Any]]]:
    """Give the metrics with what they claim beyond their own word."""
    front_end = [Resample(orig_sr=sr, target_sr=16000), MelSpectrogram(sr=16000)]
    images = make_pipeline(*front_end).fit_transform(np.stack([references, references], axis=1))
    on_images: dict[str, Any] = {"MSE": MSE(), "SSIM": SSIM(), "MS-SSIM": MSSSIM()}
    for normalization in ("image", "statistical", "ones", None):
        metric = NLPD(normalization=normalization).fit(images)
        on_images[f"NLPD, {normalization or 'no'} normalisation"] = metric
    audited = {name: make_pipeline(*front_end, metric) for name, metric in on_images.items()}
    audited["MSE behind AlignPairs"] = make_pipeline(AlignPairs(sr=sr), *front_end, MSE())
    audited["MSE behind Normalize"] = make_pipeline(Normalize(), *front_end, MSE())
    claims = {"higher_is_better": False, "symmetric": True, "best_score": 0.0}
    return {
        **{name: (metric, {}) for name, metric in audited.items()},
        "MSE of waveforms": (FunctionTransformer(waveform_error), claims),
        "SNR of waveforms": (FunctionTransformer(signal_to_noise), {"higher_is_better": True}),
    }


def main() -> None:
    """Audit every metric and write the table."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("-o", "--output", type=Path, required=True, help="folder for the table")
    output = parser.parse_args().output
    music = make_music(n_songs=13, sr=48000, random_state=0)
    degradations = [PMQDNoise(), PMQDDistortion(), PMQDLowpass(), PMQDLimiter()]
    rows = []
    for name, (metric, claims) in make_audited(music.signals, music.sr).items():
        audit = audit_metric(
            metric,
            music.signals,
            degradations,
            sr=music.sr,
            severities=np.linspace(0, 1, 11),
            gains_db=GAINS_DB,
            delays_ms=DELAYS_MS,
            **claims,
        )
        violated = audit.summary.index[audit.summary["outcome"] == "violated"]
        costs = audit.sensitivity.set_index(["change", "value"])["relative"]
        row = {
            "metric": name,
            "violated": ", ".join(violated) or "nothing",
            "largest step back": _percent(audit.ladders["reversal"].max()),
        }
        row["polarity"] = _percent(costs["polarity"].item())
        row |= {f"{gain:+g} dB": _percent(costs["gain", gain]) for gain in GAINS_DB}
        # Delays are to the nearest sample, which these are.
        row |= {f"{delay:g} ms": _percent(costs["delay", delay]) for delay in DELAYS_MS}
        rows.append(row)
        print(f"{audit}\n", flush=True)
    output.mkdir(parents=True, exist_ok=True)
    pd.DataFrame(rows).to_csv(output / "metric_audit.csv", index=False, lineterminator="\n")


def _percent(share: float) -> str:
    return f"{100 * share:.1f}" if np.isfinite(share) else ""


if __name__ == "__main__":
    main()
