"""
A signal that an embedding mistakes for another
===============================================

A loss on an embedding can be minimised over the signal itself. What comes out shows what the
embedding hears and what it does not. Here noise is changed until its mel bands point the way those
of music do: the notes come out, while the waveform has nothing in common with that of the music,
since mel bands drop the phase.
"""

# %%
# The loss
# --------
# :class:`~skperceptual.LogMelEmbedding` needs no trained weights; any other embedding of
# :mod:`skperceptual.embeddings` goes in its place. The loss is one less what
# :class:`~skperceptual.EmbeddingSimilarity` gives.
import matplotlib.pyplot as plt
import numpy as np
import torch

from skperceptual import MelSpectrogram
from skperceptual.datasets import make_music
from skperceptual.embeddings import EmbeddingSimilarity, LogMelEmbedding
from skperceptual.functional import EmbeddingLoss

sr = 16000
music = make_music(n_songs=1, duration_seconds=2.0, sr=sr, random_state=3).signals[0]
noise = 0.05 * np.random.default_rng(0).standard_normal(music.shape)
embedding = LogMelEmbedding(sr=sr, n_mels=64, hop_length=400)
loss = EmbeddingLoss(embedding)

# %%
# Descent
# -------
# Gradients reach the signal through the embedding.
reference = torch.tensor(music, dtype=torch.float32)
signal = torch.tensor(noise, dtype=torch.float32, requires_grad=True)
optimiser = torch.optim.Adam([signal], lr=3e-3)
values = []
for _ in range(120):
    optimiser.zero_grad()
    value = loss(reference, signal)
    value.backward()
    optimiser.step()
    values.append(value.item())

# %%
# The scorer agrees, and the waveforms do not
# -------------------------------------------
# The similarity of the noise was high to begin with: the floor of this embedding's cosine lies
# there. See :doc:`/user_guide/embedding_distances`.
found = signal.detach().numpy().astype(np.float64)
metric = EmbeddingSimilarity(embedding, sr=sr)
pairs = np.stack([np.stack([music, version]) for version in (noise, found)])
print("similarity of the noise, and of what it became:", metric.transform(pairs)[:, 0].round(3))
print("correlation of the waveforms:", np.corrcoef(music, found)[0, 1].round(3))

# %%
# What became of the noise
# ------------------------
figure, axes = plt.subplots(1, 3, figsize=(11, 3), layout="constrained")
axes[0].plot(values)
axes[0].set(xlabel="step", ylabel="loss", yscale="log")
images = MelSpectrogram(sr=sr, n_mels=128).transform(np.stack([music, found]))
for axis, image, title in zip(axes[1:], images, ("music", "what the noise became"), strict=True):
    axis.imshow(image, origin="lower", aspect="auto")
    axis.set(title=title, xlabel="frame", ylabel="mel band")
plt.show()
