"""
Does a metric keep its promises?
================================

More damage should be worse, the same signal twice perfect, and what nobody hears should not count.
An audit tries that on signals and degradations, without ratings. Four metrics on spectrograms are
audited here, and one on waveforms, which fails.
"""

# %%
# Music and its damage
# --------------------
# Two songs, synthesised, and the four degradations of the PMQD listening test, at its rate.
import matplotlib.pyplot as plt
import numpy as np
import pandas as pd
from sklearn.pipeline import make_pipeline
from sklearn.preprocessing import FunctionTransformer

from skperceptual import (
    MSE,
    MSSSIM,
    NLPD,
    SSIM,
    MelSpectrogram,
    PMQDDistortion,
    PMQDLimiter,
    PMQDLowpass,
    PMQDNoise,
    Resample,
)
from skperceptual.datasets import make_music
from skperceptual.evaluation import audit_metric
from skperceptual.plotting import SeverityCurvesDisplay

music = make_music(n_songs=2, sr=48000, duration_seconds=3.0, random_state=0)
degradations = {
    "noise": PMQDNoise(),
    "distortion": PMQDDistortion(),
    "low-pass": PMQDLowpass(),
    "limiter": PMQDLimiter(),
}

# %%
# The audit
# ---------
# Metrics of this package say of themselves which way they point. A plain function does not, so that
# its claims are given along.


def waveform_error(pairs):
    """Give the mean squared difference of the samples."""
    return np.mean((pairs[:, 0] - pairs[:, 1]) ** 2, axis=1)


def audit(metric, **claims):
    """Try a metric on the music."""
    return audit_metric(metric, music.signals, degradations, sr=music.sr, **claims)


front_end = [Resample(orig_sr=music.sr, target_sr=16000), MelSpectrogram(sr=16000)]
metrics = {"MSE": MSE(), "SSIM": SSIM(), "MS-SSIM": MSSSIM(), "NLPD": NLPD()}
audits = {name: audit(make_pipeline(*front_end, metric)) for name, metric in metrics.items()}
audits["waveform error"] = audit(
    FunctionTransformer(waveform_error), higher_is_better=False, symmetric=True, best_score=0.0
)
pd.DataFrame({name: one.summary["outcome"] for name, one in audits.items()})

# %%
# What the waveform error gets wrong: music with its polarity turned sounds the same.
audits["waveform error"].violations

# %%
# Every check says what it found:
print(audits["NLPD"])

# %%
# The ladders
# -----------
# The line is the mean of the songs, the shade reaches from one to the other. Metrics agree that
# each damage grows, and disagree about which is worst.
SeverityCurvesDisplay.from_audit(audits)
plt.show()

# %%
# One panel a degradation, over its physical parameter: losses are now relative to the worst that
# each metric gives to anything here.
SeverityCurvesDisplay.from_audit(
    audits, panels="degradation", x="physical", spread=None, line_kwargs={"linewidth": 1}
)
plt.show()

# %%
# Delays and gains
# ----------------
# What they cost, as a share of the metric's own scale. A delay of 50 ms means nothing to listeners
# who hear one signal after the other, and up to as much as strong damage to metrics that compare
# frame by frame; :class:`~skperceptual.AlignPairs` takes it away.
figure, axes = plt.subplots(1, 2, figsize=(9, 3.2), layout="constrained")
for name in metrics:
    costs = audits[name].sensitivity
    for ax, change in zip(axes, ("delay", "gain"), strict=True):
        rows = costs[costs["change"] == change]
        ax.plot(rows["value"], 100 * rows["relative"], marker="o", markersize=4, label=name)
axes[0].set(xlabel="delay (ms)", ylabel="cost (% of the scale)", xscale="log")
axes[1].set(xlabel="gain (dB)")
axes[1].legend(frameon=False)
plt.show()
