"""
Training a network of your own with a perceptual loss
=====================================================

The metrics of this package are losses as well: modules of torch that give, item by item, the number
that the metric scores with, and gradients that are finite everywhere. Here a small network learns
to take noise away from spectrograms, once with each loss, in a plain loop of torch.
"""

# %%
# Noisy music
# -----------
# Three seconds of each of eight synthesised songs, and the same with noise 12 dB below.
import matplotlib.pyplot as plt
import numpy as np
import pandas as pd
import torch
from torch import nn

from skperceptual import MSE, MSSSIM, NLPD, MelSpectrogram, SpectrogramDisplay
from skperceptual.datasets import make_music
from skperceptual.degradations import WhiteNoise
from skperceptual.functional import MSELoss, MSSSIMLoss, NLPDLoss

clean = make_music(n_songs=8, duration_seconds=3.0, random_state=0).signals
noisy = WhiteNoise(snr_db=12.0, random_state=0).fit_transform(clean)
front_end = MelSpectrogram(n_fft=1024, hop_length=256, n_mels=176)
pairs = front_end.fit_transform(np.stack([clean, noisy], axis=1).astype(np.float32))
target, given = torch.tensor(pairs[:, :1]), torch.tensor(pairs[:, 1:])
given.shape

# %%
# One loop, three losses
# ----------------------
# A loss is called with what the network gave and what it should give, as all of torch's are. The
# last two songs are kept for the test. Networks this small are faster in one thread than in many.
torch.set_num_threads(1)
losses = {"MSE": MSELoss(), "NLPD": NLPDLoss(), "MS-SSIM": MSSSIMLoss()}
train, test = slice(0, 6), slice(6, 8)
restored = {}
for name, criterion in losses.items():
    torch.manual_seed(0)
    network = nn.Sequential(
        nn.Conv2d(1, 8, 5, padding=2),
        nn.LeakyReLU(),
        nn.Conv2d(8, 1, 5, padding=2),
    )
    optimizer = torch.optim.AdamW(network.parameters(), lr=1e-2)
    for step in range(36):
        rows = slice(2 * step % 6, 2 * step % 6 + 2)
        optimizer.zero_grad()
        value = criterion(given[rows] + network(given[rows]), target[rows])
        value.backward()
        optimizer.step()
    with torch.no_grad():
        restored[name] = (given[test] + network(given[test])).clamp(0, 1).numpy()[:, 0]

# %%
# What each loss comes to
# -----------------------
# The rows are what was trained with, the columns what is measured on the two songs that were kept.
# After so few steps a loss need not win its own column. MS-SSIM is a similarity: more of it is
# better.
references = pairs[test, 0]
metrics = {"MSE": MSE(), "NLPD": NLPD(), "MS-SSIM": MSSSIM()}
versions = {"no network": pairs[test, 1], **restored}
table = {
    trained: {
        name: metric.fit_transform(np.stack([references, images], axis=1)).mean()
        for name, metric in metrics.items()
    }
    for trained, images in versions.items()
}
pd.DataFrame(table).T.round(4)

# %%
# The network that was trained with NLPD, beside what it began with:
for images in (pairs[6, 1], restored["NLPD"][0]):
    SpectrogramDisplay.from_images(
        np.stack([references[0], images]),
        frequencies=front_end.band_frequencies(),
        times=front_end.frame_times(images.shape[1]),
    )
plt.show()
