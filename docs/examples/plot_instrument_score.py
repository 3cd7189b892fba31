"""
A score of an instrument's sound, and an equaliser that follows it
==================================================================

A small network learns to tell two classes of instruments apart from a moment of sound. Then it is
asked what it listens to, and an equaliser moves recordings of the one class towards the other.
This is the experiment of Verma and Berger, *Learning to Model Aspects of Auditory Perception Using
Neural Loss Functions*. The cellos here are **simulated**: two classes of bodies whose difference is
known. No score of theirs says anything about real cellos.
"""

# %%
# Simulated cellos
# ----------------
# All instruments play the same etudes, bowed alike, in the same room. The bodies of class B have
# less air resonance, less above 800 Hz, and are damped more. Instruments that are to be judged have
# not been heard in training: a split by instrument is the least that such a score needs.
import matplotlib.pyplot as plt
import numpy as np
from sklearn.frozen import FrozenEstimator
from sklearn.pipeline import make_pipeline

from skperceptual import (
    CelloQualityClassifier,
    EqualizerDisplay,
    MaskSmoothingDisplay,
    SaliencyDisplay,
    SpectralMaskEqualizer,
    Spectrogram,
)
from skperceptual.datasets import make_synthetic_cellos

cellos = make_synthetic_cellos(
    n_train=12,
    n_validation=0,
    n_test=4,
    excerpts_per_instrument=4,
    duration_seconds=1.25,
    random_state=0,
)
train, test = cellos.split == "train", cellos.split == "test"
cellos.signals.shape

# %%
# The score
# ---------
# Spectrograms as in the paper. The excerpts are shorter than its 3 s, and the network has a fifth
# of the weights that it has by default, so that this page is made quickly. The groups are the
# instruments: some of them are held out to stop training early.
front_end = Spectrogram(sr=16000, n_fft=512, win_length=480, hop_length=160, eps=1e-5)


def make_scorer(random_state):
    """Give an untrained score."""
    classifier = CelloQualityClassifier(
        n_filters=(8, 12, 24, 32),
        excerpt_frames=123,
        learning_rate=3e-3,
        batch_size=16,
        max_epochs=6,
        random_state=random_state,
    )
    return make_pipeline(front_end, classifier)


def fit(random_state):
    """Train a score."""
    return make_scorer(random_state).fit(
        cellos.signals[train],
        cellos.target[train],
        celloqualityclassifier__groups=cellos.groups[train],
    )


scorer = fit(0)
accuracy = scorer.score(cellos.signals[test], cellos.target[test])
print(f"{accuracy:.0%} of the excerpts of unseen (simulated) instruments are told apart")

# %%
# What it listens to
# ------------------
# The class activation map says, exactly, which places of the spectrogram the score comes from: red
# speaks for the class in the title. (The paper's figure 3.)
expensive = np.flatnonzero(test & (cellos.target == "A"))
SaliencyDisplay.from_estimator(scorer, cellos.signals, sample=expensive[[2, 11]], target="A")
plt.show()

# %%
# An equaliser that follows the score
# -----------------------------------
# The mask of a coarse grid is smooth by construction. The same search begun with noise, and with
# nothing to hold it back, finds a mask that brings down the score further still, and is noise to
# look at. (The paper's figure 1.)
cheap = np.flatnonzero(test & (cellos.target == "B"))[[1, 12]]
images = front_end.transform(cellos.signals[cheap])
settings = {"alpha": 0.2, "max_iter": 30, "random_state": 0}
equalizer = SpectralMaskEqualizer(
    FrozenEstimator(scorer), init="grid", roughness="tikhonov", **settings
)
equalizer.fit(images)
EqualizerDisplay.from_estimator(equalizer, images)
plt.show()

# %%
# Rectangles at random places are what the paper begins with. (Its figure 2.)
blocks = SpectralMaskEqualizer(FrozenEstimator(scorer), init="blocks", **settings).fit(images)
MaskSmoothingDisplay.from_estimator(blocks, sample=[0, 1])
plt.show()

# %%
# Is it more than a trick on one network?
# ---------------------------------------
# The report sets each mask beside random masks of the same energy (``score_control``), and asks a
# second score, trained from another start, how much of the improvement it hears (``transfer``).
other = fit(1)
noise = SpectralMaskEqualizer(
    FrozenEstimator(scorer), init="random", **{**settings, "alpha": 0.0, "beta": 0.0}
).fit(images)
columns = ["score_before", "score_after", "score_control", "transfer", "relative_roughness"]
for name, found in {"grid": equalizer, "blocks": blocks, "noise": noise}.items():
    table = found.report(images, masks=found.masks_, other_estimator=other)
    print(f"{name}\n{table[columns].round(2).to_string()}\n")

# %%
# Back to sound
# -------------
# ``transform_audio`` multiplies the magnitudes and keeps the phase. With masks of 0 the recording
# comes back exactly.
better = equalizer.transform_audio(cellos.signals[cheap], masks=equalizer.masks_)
untouched = equalizer.transform_audio(cellos.signals[cheap], masks=np.zeros_like(images))
print(f"largest error without a mask: {np.abs(untouched - cellos.signals[cheap]).max():.1e}")
print(f"scores as sound: {scorer.predict_proba(better)[:, 1].round(2)}")
