"""
Do embeddings follow PESQ and STOI?
===================================

A similarity of embeddings needs no knowledge of hearing, only a network that has heard much. Here
it is held against three metrics that were made by people who studied hearing, on music that is
degraded in nine ways. Nobody listens: two metrics that agree may both be wrong.
"""

# %%
# Music and its damage
# --------------------
# Eight songs, synthesised, and the nine degradations of a seminar report: white noise, resampling
# and quantisation, at three levels each.
import matplotlib.pyplot as plt
import pandas as pd
from sklearn.pipeline import make_pipeline

from skperceptual import NLPD, PESQ, STOI, EmbeddingSimilarity, MelSpectrogram
from skperceptual.datasets import make_music
from skperceptual.degradations import GhoshNoise, GhoshQuantization, GhoshResampling
from skperceptual.plotting import (
    DegradationBarsDisplay,
    MetricCorrelationsDisplay,
    RatingDisplay,
)

music = make_music(n_songs=8, sr=16000, duration_seconds=4.0, random_state=1)
levels = {"low": 0.0, "high": 0.5, "extreme": 1.0}
degradations = {
    ("noise", level): GhoshNoise(severity=severity, random_state=42)
    for level, severity in levels.items()
}
degradations |= {
    ("resampling", level): GhoshResampling(severity=severity) for level, severity in levels.items()
}
degradations |= {
    ("quantisation", level): GhoshQuantization(severity=severity)
    for level, severity in levels.items()
}
rows, pairs = [], []
for (degradation, level), one in degradations.items():
    for song, (clean, degraded) in enumerate(
        zip(music.signals, one.transform(music.signals), strict=True)
    ):
        rows.append({"song": song, "degradation": degradation, "level": level})
        pairs.append((clean, degraded))

# %%
# Four metrics
# ------------
# The embedding is that of the encoder which the package ships; ``EmbeddingSimilarity("vggish")``
# and ``EmbeddingSimilarity("openl3")`` need files of weights. PESQ and STOI need the extra
# ``speech``, and were made for speech: what they say of music has no such meaning.
metrics = {
    "embedding": EmbeddingSimilarity(),
    "PESQ": PESQ(),
    "STOI": STOI(),
    "NLPD": make_pipeline(MelSpectrogram(), NLPD()),
}
table = pd.DataFrame(rows)
for name, metric in metrics.items():
    table[name] = metric.transform(pairs)[:, 0]
table.groupby(["degradation", "level"], sort=False)[list(metrics)].mean().round(3)

# %%
# How far each of them falls
# --------------------------
# Lines on the bars are intervals over songs. A level of one degradation is no level of another:
# what is called low goes from hardly audible to dull.
DegradationBarsDisplay.from_predictions(
    table["embedding"],
    condition=table["degradation"],
    level=table["level"],
    groups=table["song"],
    value_name="similarity of embeddings",
    bottom=float(table["embedding"].min()),
)

# %%
# Beside PESQ
# -----------
# One point a version of a song, with the straight line through all of them.
display = RatingDisplay.from_predictions(
    table["PESQ"], table["embedding"], condition=table["degradation"], mapping="linear"
)
display.ax_.set(xlabel="similarity of embeddings", ylabel="PESQ")

# %%
# All of them
# -----------
# The NLPD is a distance, and correlates with the others negatively where they agree.
MetricCorrelationsDisplay.from_predictions(table[list(metrics)], score="spearman")
plt.show()

# %%
# On recordings of your own, ``skperceptual study FOLDER -o out`` does all this with intervals for
# the correlations; :doc:`/user_guide/embedding_study` has its results for 84 recordings.
