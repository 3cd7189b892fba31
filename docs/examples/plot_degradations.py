"""
Degradations to listen to
=========================

What a metric says about damage is best judged by ear. Here is one song of synthetic music, what
seven degradations do to it, and what four metrics make of that as the damage grows.
"""

# %%
# A song, and what became of it
# -----------------------------
# Every degradation is at ``severity=0.75`` of its own ladder; a severity of one does not compare
# with that of another. ``match="rms"`` keeps the level, so that none is heard for being louder. The
# players have the first two seconds, so that this page stays small.
import base64
import io

import matplotlib.pyplot as plt
import numpy as np
import pandas as pd
import soundfile

from skperceptual.datasets import make_music
from skperceptual.degradations import get_degradation

sr = 16000
music = make_music(n_songs=3, duration_seconds=3.0, genres=["Pop", "Jazz", "Rock"], random_state=0)
signals = 0.4 * music.signals  # room for what gets higher peaks

names = [
    "white_noise",
    "hard_clipping",
    "lowpass",
    "mp3_codec",
    "opus_codec",
    "reverberation",
    "packet_loss",
]
degradations = {name: get_degradation(name, match="rms") for name in names}
versions = {"original": signals[0]}
for name, step in degradations.items():
    step.set_params(severity=0.75)
    if "random_state" in step.get_params():
        step.set_params(random_state=0)
    title = f"{name}, {step.physical_parameter} = {step.physical_value:.4g}"
    versions[title] = step.transform(signals[:1])[0]


class Players:
    """Players for signals, shown by notebooks and by these pages."""

    def __init__(self, signals, sr):
        self.signals = signals
        self.sr = sr

    def _repr_html_(self):
        return "".join(map(self._player, self.signals, self.signals.values()))

    def _player(self, title, clip):
        wav = io.BytesIO()
        soundfile.write(wav, np.clip(clip, -1, 1), self.sr, "PCM_16", format="WAV")
        data = base64.b64encode(wav.getvalue()).decode()
        return (
            f'<figure style="margin: 0 0 0.5em"><figcaption>{title}</figcaption>'
            f'<audio controls preload="none" src="data:audio/wav;base64,{data}"></audio></figure>'
        )


Players({title: clip[: 2 * sr] for title, clip in versions.items()}, sr)

# %%
# The same in pictures. The noise buries what it is louder than, clipping adds harmonics, the
# low-pass and MP3 take the treble away, Opus puts noise in place of what it does not code, the room
# lets every note go on, and packet loss leaves gaps.
from skperceptual import MelSpectrogram, SpectrogramDisplay

front_end = MelSpectrogram(sr=sr)
figure, axes = plt.subplots(4, 2, figsize=(9, 10), sharex=True, sharey=True, layout="constrained")
for sample, (title, ax) in enumerate(zip(versions, axes.flat, strict=True)):
    display = SpectrogramDisplay.from_estimator(
        front_end,
        np.stack(list(versions.values())),
        sample=sample,
        ax=ax,
        image_kwargs={"vmin": 0, "vmax": 1},
    )
    display.axes_[0].set_title(title, fontsize="medium")
plt.show()

# %%
# Ladders
# -------
# A grid holds every song in every degradation at every severity. Its pairs are made when they are
# asked for, so that it takes no memory to speak of, whatever its size.
from skperceptual.degradations import degradation_grid

severities = np.linspace(0, 1, 6)
grid = degradation_grid(
    signals, degradations, severities, sr=sr, groups=music.groups, random_state=0
)
print(grid.DESCR)
grid.pairs

# %%
# What metrics make of them
# -------------------------
# Each metric takes a few pairs at a time from the grid. Distances rise with the damage, and so does
# 1 minus a similarity. Lines are means over songs, with the range between songs behind them. A good
# metric rises from left to right on every ladder; where it is flat, it does not hear what is
# happening.
from sklearn.pipeline import make_pipeline

from skperceptual import MSE, MSSSIM, NLPD, SSIM
from skperceptual.evaluation import predict_chunked

scores = grid.frame.copy()
for metric in (MSE(), SSIM(), MSSSIM(), NLPD()):
    values = predict_chunked(
        make_pipeline(front_end, metric), grid.pairs, method="transform", chunk_size=42
    )[:, 0]
    scores[type(metric).__name__] = 1 - values if metric.higher_is_better else values

metrics = ["MSE", "SSIM", "MSSSIM", "NLPD"]
figure, axes = plt.subplots(2, 2, figsize=(9, 7), sharex=True, layout="constrained")
for ax, metric in zip(axes.flat, metrics, strict=True):
    for name, rows in scores.groupby("condition", sort=False):
        by_severity = rows.groupby("severity")[metric]
        (line,) = ax.plot(severities, by_severity.mean(), marker="o", label=name)
        ax.fill_between(
            severities, by_severity.min(), by_severity.max(), color=line.get_color(), alpha=0.15
        )
    ax.set(title=metric, xlabel="severity")
    ax.set_ylim(bottom=0)
axes[0, 0].set_ylabel("distance")
axes[1, 0].set_ylabel("distance, or 1 - similarity")
figure.legend(*axes[0, 0].get_legend_handles_labels(), loc="outside right upper")
plt.show()

# %%
# How well the order of the rungs is kept, song by song: the worst rank correlation of a metric with
# the severity. Below 1, it takes some stronger damage for milder.
worst = pd.DataFrame(
    {
        metric: {
            name: rows.groupby("group")[[metric, "severity"]]
            .apply(lambda song: song.corr(method="spearman").iloc[0, 1])
            .min()
            for name, rows in scores.groupby("condition", sort=False)
        }
        for metric in metrics
    }
)
worst.round(2)
