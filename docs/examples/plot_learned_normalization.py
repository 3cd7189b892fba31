"""
What a fitted divisive normalisation looks at
=============================================

The normalised Laplacian pyramid distance divides each coefficient of a spectrogram's pyramid by
the activity around it. Which neighbours count can be taken from photographs, learned from the
statistics of sound, or fitted to ratings. This example fits all three and draws the weights, as
figure 2 of *Audio quality from image quality metrics* does. The ratings here are **simulated**:
they follow the noise that was added and ignore a change of level.
"""

# %%
# Sounds, degradations, simulated ratings
# ---------------------------------------
# Twelve short sequences of plucked notes. Each is degraded four times: noise lowers the simulated
# rating, a change of level does not.
import matplotlib.pyplot as plt
import numpy as np
from sklearn.model_selection import GroupKFold, cross_val_predict
from sklearn.pipeline import make_pipeline

from skperceptual import DivisiveNormDisplay, MelSpectrogram, NLPDRegressor
from skperceptual.metrics import spearman_score
from skperceptual.plotting import ContributionsDisplay

sr = 16000
rng = np.random.default_rng(0)


def pluck(pitch):
    """Give a quarter of a second of a decaying harmonic tone."""
    times = np.arange(sr // 4) / sr
    partials = np.arange(1, 24)[:, None]
    return (np.exp(-4 * partials * times) * np.sin(2 * np.pi * pitch * partials * times)).sum(0)


songs = [
    np.concatenate([pluck(110 * 2 ** (note / 12)) for note in rng.integers(0, 30, 8)])
    for _ in range(12)
]
pairs, ratings, song = [], [], []
for number, reference in enumerate(songs):
    reference = 0.3 * reference / np.abs(reference).max()
    for severity in (0.0, 0.3, 0.6, 1.0):
        noise = rng.standard_normal(reference.shape) * 10 ** (-3 + 1.5 * severity)
        gain = 10 ** (rng.uniform(-6, 0) / 20)
        pairs.append([reference, gain * reference + noise])
        ratings.append(5 - 3.5 * severity + 0.3 * rng.standard_normal())
        song.append(number)
pairs, ratings, song = np.array(pairs), np.array(ratings), np.array(song)
pairs.shape

# %%
# Three normalisations, cross-validated by song
# ---------------------------------------------
# Held-out songs are predicted by a metric that was fitted to the others. A fit to ratings does not
# have to help on songs that it has not seen, least of all with few of them: compare, then choose.
front_end = MelSpectrogram(sr=sr, n_mels=128)
images = front_end.fit_transform(pairs)
metrics = {
    "image": NLPDRegressor(normalization="image"),
    "statistical": NLPDRegressor(normalization="statistical"),
    "perceptual": NLPDRegressor(normalization="perceptual", solver="lbfgs", max_epochs=40),
}
for name, metric in metrics.items():
    predicted = cross_val_predict(metric, images, ratings, groups=song, cv=GroupKFold(4))
    print(f"{name:12s} Spearman {spearman_score(ratings, predicted):.2f} (simulated ratings)")
    metric.fit(images, ratings)

# %%
# The weights
# -----------
# Each column is a level of the pyramid, from fine to coarse. The square in the middle is the
# coefficient itself; up is higher in frequency, right is later in time.
DivisiveNormDisplay.from_estimator(metrics)
plt.show()

# %%
# Where a pair loses
# ------------------
# The same fitted metric says which bands (or, with ``by="level"``, which levels of the pyramid)
# the distance comes from.
pipeline = make_pipeline(front_end, metrics["perceptual"])
ContributionsDisplay.from_estimator(pipeline, pairs[1:4], by="band")
plt.show()
