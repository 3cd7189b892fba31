"""
What metrics make of three degradations
=======================================

One synthetic sound is degraded in three ways, each at three strengths. A metric is worth having if
its value grows with the strength; metrics differ in how they rank the *kinds* of damage.
"""

# %%
# A sound with harmonics, and its degraded versions
# -------------------------------------------------
# Four plucked notes, each a decaying sum of harmonics.
import matplotlib.pyplot as plt
import numpy as np
from scipy.signal import butter, sosfilt
from sklearn.pipeline import make_pipeline

from skperceptual import MSE, NLPD, MelSpectrogram

sr = 16000
rng = np.random.default_rng(0)


def pluck(pitch):
    """Give half a second of a decaying harmonic tone."""
    times = np.arange(sr // 2) / sr
    partials = np.arange(1, 20)[:, None]
    decay = np.exp(-3 * partials * times)
    return (decay * np.sin(2 * np.pi * pitch * partials * times)).sum(axis=0)


reference = np.concatenate([pluck(pitch) for pitch in (220.0, 277.2, 329.6, 440.0)])
reference *= 0.5 / np.abs(reference).max()


def add_noise(signal, strength):
    """Add white noise, 40 dB below the signal and louder."""
    noise = rng.standard_normal(signal.shape)
    return signal + noise * signal.std() * 10 ** ((-40 + 10 * strength) / 20)


def low_pass(signal, strength):
    """Take away everything above 4, 2 and 1 kHz."""
    return sosfilt(butter(6, 8000 / 2**strength, fs=sr, output="sos"), signal)


def quantize(signal, strength):
    """Keep 8, 6 and 4 bits."""
    steps = 2 ** (9 - 2 * strength)
    return np.round(signal * steps) / steps


degradations = {"noise": add_noise, "low-pass": low_pass, "quantisation": quantize}
strengths = [1, 2, 3]
pairs = np.array(
    [
        [reference, degrade(reference, strength)]
        for degrade in degradations.values()
        for strength in strengths
    ]
)
pairs.shape

# %%
# The pairs as images
# -------------------
# A front end keeps the axes in front of time: pairs of signals become pairs of images.
front_end = MelSpectrogram(sr=sr)
images = front_end.fit_transform(pairs)

fig, axes = plt.subplots(1, 4, figsize=(11, 3), sharey=True, layout="constrained")
axes[0].imshow(images[0, 0], origin="lower", aspect="auto", vmin=0, vmax=1)
axes[0].set(title="reference", xlabel="frame", ylabel="mel band")
for ax, name, image in zip(axes[1:], degradations, images[2::3, 1], strict=True):
    ax.imshow(image, origin="lower", aspect="auto", vmin=0, vmax=1)
    ax.set(title=f"{name}, strongest", xlabel="frame")

# %%
# The metrics
# -----------
# Both are distances: they rise with the damage. Their scales have nothing to do with each other, so
# each is drawn on its own axis, beginning at zero.
fig, axes = plt.subplots(1, 2, figsize=(9, 3.5), layout="constrained")
for ax, metric in zip(axes, [MSE(), NLPD()], strict=True):
    distances = make_pipeline(front_end, metric).fit_transform(pairs).reshape(3, 3)
    for name, row in zip(degradations, distances, strict=True):
        ax.plot(strengths, row, marker="o", label=name)
    ax.set(title=type(metric).__name__, xlabel="strength", ylabel="distance", xticks=strengths)
    ax.set_ylim(bottom=0)
axes[0].legend()
plt.show()
