"""
Where a recording is damaged
============================

ViSQOL cuts the reference into patches of 0.6 s, seeks each in the degraded signal, and compares the
two band by band. Its rating is a number; the patches say what it rests on.
"""

# %%
# A song and what became of it
# ----------------------------
# Music, synthesised. The degraded version comes 40 ms late; its second second is coarsely
# quantised, its fourth has no treble, and half a second is missing.
import matplotlib.pyplot as plt
import numpy as np
from scipy.signal import butter, sosfilt
from sklearn.model_selection import GroupKFold, cross_val_predict
from sklearn.pipeline import make_pipeline
from sklearn.svm import NuSVR

from skperceptual import NSIM, GammatoneSpectrogram, PatchSimilarityDisplay, RatingDisplay, ViSQOL
from skperceptual.datasets import make_music, make_rated_music

sr = 48000
music = make_music(n_songs=1, duration_seconds=7.0, sr=sr, random_state=3).signals[0]
degraded = music.copy()
degraded[sr : 2 * sr] = np.round(degraded[sr : 2 * sr] * 16) / 16
low_pass = butter(8, 3000, fs=sr, output="sos")
degraded[3 * sr : 4 * sr] = sosfilt(low_pass, degraded[3 * sr : 4 * sr])
late = np.zeros(int(0.04 * sr))
degraded = np.concatenate([late, degraded[: 5 * sr], degraded[int(5.5 * sr) :]])

# %%
# The rating and its patches
# --------------------------
# Delays and unequal lengths are no trouble. ``repr`` names the map from similarities to ratings.
metric = ViSQOL()
pairs = [(music, degraded)]
print(metric, metric.predict(pairs).round(2))
metric.patches(pairs)[["reference_start", "degraded_start", "similarity"]].round(2)

# %%
# Over time and frequency: the quantisation fills quiet treble with noise, the low-pass takes the
# treble away, and after the missing half second patches that overlap it find no equal.
PatchSimilarityDisplay.from_estimator(metric, pairs)
plt.show()

# %%
# The damage by band
# ------------------
# ``transform`` averages the patches: these are the features that a map of your own would learn
# from, with ``ViSQOL(model="fit")`` or any regressor. Gammatone filters and NSIM by themselves,
# frame by frame and without alignment, mostly see the delay and the gap.
bands = metric.band_frequencies()
front_end = GammatoneSpectrogram(sr=sr)
images = front_end.transform(np.stack([music[: len(degraded)], degraded[: len(music)]])[np.newaxis])
unaligned = NSIM(frequencies=front_end.band_frequencies()).transform(images)[0]
plt.semilogx(bands, metric.transform(pairs)[0], label="ViSQOL")
plt.semilogx(front_end.band_frequencies(), unaligned, label="not aligned")
plt.xlabel("frequency (Hz)")
plt.ylabel("similarity")
plt.legend(frameon=False)
plt.show()

# %%
# Fitted to ratings
# -----------------
# The same parts make a metric of your own: here six songs in twelve versions, with SIMULATED
# ratings, and predictions for songs that were held out.
ratings = make_rated_music(n_songs=6, sr=16000, random_state=0)
front_end = GammatoneSpectrogram(sr=16000)
metric = make_pipeline(front_end, NSIM(frequencies=front_end.band_frequencies()), NuSVR())
predicted = cross_val_predict(
    metric, ratings.pairs, ratings.target, groups=ratings.groups, cv=GroupKFold(3)
)
display = RatingDisplay.from_predictions(
    ratings.target, predicted, condition=ratings.condition, name="gammatone, NSIM, nu-SVR"
)
display.ax_.set_ylabel("SIMULATED rating")
plt.show()
