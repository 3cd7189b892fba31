"""
Metrics against ratings of degraded music
=========================================

The question of the first paper: do metrics made for pictures, applied to spectrograms, agree with
what people say about degraded music? Here the music is synthesised and **the ratings are
simulated** after a real listening test, so that everything runs as it stands. With a table of your
own, :func:`~skperceptual.datasets.load_rated_pairs` takes the place of the first cell.
"""

# %%
# Music, degradations, simulated ratings
# --------------------------------------
# Twenty-six songs of thirteen genres, one clip of each, degraded in the four ways of the listening
# test at intensities from 0 to 100. Its human means are what the simulated ratings scatter around.
import matplotlib.pyplot as plt
import numpy as np
import pandas as pd

from skperceptual.datasets import make_rated_music

data = make_rated_music(n_songs=26, clips_per_song=1, random_state=1)
print(data.DESCR)

# %%
# One clip and what became of it. The distortion adds harmonics to every note, the limiter lifts
# what is quiet, the low-pass empties the top, and the noise buries what it is louder than.
from skperceptual import MelSpectrogram, SpectrogramDisplay

front_end = MelSpectrogram(sr=data.sr)
clip = data.frame[data.frame["song"] == "Jazz 1"]
signals = [data.pairs[clip.index[0], 0], *data.pairs[clip.index, 1]]
titles = [
    "original",
    *(f"{row.condition}, {row.intensity:.0f} of 100" for row in clip.itertuples()),
]
figure, axes = plt.subplots(5, 1, figsize=(7, 10), sharex=True, layout="constrained")
for sample, (ax, title) in enumerate(zip(axes, titles, strict=True)):
    display = SpectrogramDisplay.from_estimator(
        front_end, np.stack(signals), sample=sample, ax=ax, image_kwargs={"vmin": 0, "vmax": 1}
    )
    display.axes_[0].set_title(title)
plt.show()

# %%
# The ratings: noise and distortion are heard, the limiter hardly at any intensity, as in the real
# test. Shifted a little, so that equal ratings do not hide each other.
figure, axes = plt.subplots(1, 4, figsize=(10, 2.6), sharey=True, layout="constrained")
shifts = np.random.default_rng(0).uniform(-0.15, 0.15, size=len(data.frame))
for ax, (condition, rows) in zip(axes, data.frame.groupby("condition"), strict=True):
    ax.plot(rows["intensity"], rows["simulated_rating"] + shifts[rows.index], "o", alpha=0.6)
    ax.set(title=condition, xlabel="intensity", ylim=(0.5, 5.5))
axes[0].set_ylabel("SIMULATED rating")
plt.show()

# %%
# Metrics and their correlations
# ------------------------------
# None of these learns anything from ratings, so that their values can be correlated as they are;
# distances fall with quality and get their sign changed. Songs are drawn anew for the intervals,
# not pairs: all versions of a song have its luck in common.
from skperceptual import MSE, MSSSIM, NLPD, SSIM, CorrelationsDisplay
from skperceptual.metrics import correlation_interval, spearman_score

images = front_end.fit_transform(data.pairs)
metrics = {"MSE": MSE(), "SSIM": SSIM(), "MS-SSIM": MSSSIM(), "NLPD": NLPD()}
values = {
    name: (1 if metric.higher_is_better else -1) * metric.fit_transform(images)[:, 0]
    for name, metric in metrics.items()
}
# What a metric would reach that knew the quality from which the ratings were drawn.
values["ceiling"] = data.frame["latent_quality"].to_numpy()

rows = []
for name, value in values.items():
    for condition in [*np.unique(data.condition), "all"]:
        kept = (data.condition == condition) | (condition == "all")
        score = spearman_score(data.target[kept], value[kept])
        interval = correlation_interval(data.target[kept], value[kept], groups=data.groups[kept])
        rows.append((name, condition, score, *interval))
correlations = pd.DataFrame(rows, columns=["metric", "condition", "spearman", "low", "high"])
CorrelationsDisplay.from_correlations(
    correlations, value_name="Spearman correlation with SIMULATED ratings"
)
plt.show()

# %%
# With as few songs most intervals overlap: these ratings do not tell the metrics apart. Even the
# ceiling lies far below 1 where ratings are mostly chance, as the limiter's are.
#
# A metric fitted to ratings
# --------------------------
# The same pairs and ratings, in scikit-learn's own cross-validation: each song is predicted by a
# metric that was fitted to others.
from sklearn.model_selection import GroupKFold, cross_val_predict
from sklearn.pipeline import make_pipeline

from skperceptual import NLPDRegressor, RatingDisplay

metric = make_pipeline(NLPDRegressor(solver="lbfgs", max_epochs=30, n_jobs=-1))
predicted = cross_val_predict(metric, images, data.target, groups=data.groups, cv=GroupKFold(4))
display = RatingDisplay.from_predictions(
    data.target, predicted, condition=data.condition, name="NLPD, fitted"
)
display.ax_.set_ylabel("SIMULATED rating")
plt.show()
