"""
An autoencoder that has never heard music
=========================================

A network that is trained to reconstruct uniform noise learns nothing about music from its data.
Whatever it does to music then, its loss has taught it. Here small networks are trained on noise
with two losses, and one on music.
"""

# %%
# Spectrograms to compress
# ------------------------
import matplotlib.pyplot as plt
import pandas as pd
import torch

from skperceptual import CompressiveAutoencoder, MelSpectrogram, ReconstructionDisplay
from skperceptual.datasets import make_music

songs = make_music(n_songs=12, random_state=0)
front_end = MelSpectrogram()
images = front_end.fit_transform(songs.signals)
images.shape

# %%
# Trained for seconds
# -------------------
# 425 batches of 64 whole images are what the paper takes; these are 120 batches of 8 crops, for
# networks of half the layers and a sixteenth of the filters, which leaves the paper's half a bit a
# pixel. ``training="noise"`` looks at the size of the images alone. Networks this small are faster
# in one thread than in many.
torch.set_num_threads(1)
settings = {"n_filters": 8, "kernel_size": 3, "n_layers": 2, "crop_size": 32, "batch_size": 8}
settings |= {"max_iter": 120, "learning_rate": 5e-3}
coders = {}
for training, loss in (("noise", "mse"), ("noise", "nlpd"), ("data", "nlpd")):
    coder = CompressiveAutoencoder(loss=loss, training=training, random_state=0, **settings)
    coders[f"{training}, {loss}"] = coder.fit(images[:10])

# %%
# What becomes of a song
# ----------------------
display = ReconstructionDisplay.from_estimator(coders, images[10:])
plt.show()

# %%
# What it costs
# -------------
# The bound counts every code as a full bit. Channels that take one of their two values more often
# than the other need less, with an arithmetic coder. A ratio always says beside what.
rows = {
    name: {"bound": coder.entropy_bound_, "entropy": coder.code_entropy(images[10:])}
    for name, coder in coders.items()
}
pd.DataFrame(rows).T.round()

# %%
pd.Series(coders["noise, nlpd"].compression_ratios(duration_seconds=4.208)).round(2)
