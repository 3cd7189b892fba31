"""The published files of weights: names, addresses, licences, and how to recognise each."""

from __future__ import annotations

from collections.abc import Iterator
from typing import NamedTuple

_MEGABYTE = 10**6
SHA256_DIGITS = 64


class WeightFile(NamedTuple):
    """A published file of weights, and what is known of its content.

    Parameters
    ----------
    model : str
        What it is for: ``"vggish"``, ``"vggish_pca"``, or ``"openl3_mel256_music"`` and its kin.
    name : str
        Its name.
    url : str
        Where it is published.
    licence : str
        Its licence, in words.
    largest : int
        No file of this kind has more bytes.
    size : int or None
        Bytes, where they are known.
    sha256 : str or None
        SHA-256 in hexadecimal, or the first digits of it where no more was published.
    git_blob : str or None
        The id that git gives the file: SHA-1 of the word "blob", its size and its content.
    """

    model: str
    name: str
    url: str
    licence: str
    largest: int
    size: int | None = None
    sha256: str | None = None
    git_blob: str | None = None

    def identity(self) -> str:
        """Say what the file is recognised by.

        Returns
        -------
        str
            Words for a message.
        """
        known = []
        if self.sha256 is not None:
            begins = " beginning with" if len(self.sha256) < SHA256_DIGITS else ""
            known.append(f"SHA-256{begins} {self.sha256}")
        if self.git_blob is not None:
            known.append(f"git blob {self.git_blob}")
        if self.size is not None:
            known.append(f"{self.size:,} bytes")
        return ", ".join(known)


_GOOGLE = "Apache License 2.0, as the code it is published with (tensorflow/models)"
_TORCHVGGISH = "https://github.com/harritaylor/torchvggish/releases/download/v0.1"

_VGGISH = (
    WeightFile(
        "vggish",
        "vggish-10086976.pth",
        f"{_TORCHVGGISH}/vggish-10086976.pth",
        _GOOGLE,
        largest=300 * _MEGABYTE,
        size=288_567_937,
        sha256="10086976245803799d9194e9a73d9b6c1549c71d1b80106f5cade5608a561f4b",
    ),
    WeightFile(
        "vggish_pca",
        "vggish_pca_params-4d878af3.npz",
        f"{_TORCHVGGISH}/vggish_pca_params-4d878af3.npz",
        _GOOGLE,
        largest=_MEGABYTE,
        sha256="4d878af3",
    ),
    WeightFile(
        "vggish_pca",
        "vggish_pca_params.npz",
        "https://storage.googleapis.com/audioset/vggish_pca_params.npz",
        _GOOGLE,
        largest=_MEGABYTE,
        size=73_020,
    ),
    WeightFile(
        "vggish_pca",
        "vggish_pca_params-970ea276.pth",
        f"{_TORCHVGGISH}/vggish_pca_params-970ea276.pth",
        _GOOGLE,
        largest=_MEGABYTE,
        sha256="970ea276",
    ),
)

# Ids of the files in OpenL3's repository. The two versions hold the same training; the older one
# also has the layer that computed the spectrogram.
_OPENL3_BLOBS = {
    "v0_4_0": {
        "linear_env": "7837407f033f3564c7e8d53fc4a4241fe160478b",
        "linear_music": "4e2e61beb17865481c8b8791c72eac8307e2753a",
        "mel128_env": "8c3dfee140f7776373841e5938a3e76c54f28942",
        "mel128_music": "73ff29de441865318c4b3a3f98c40763c4773e7c",
        "mel256_env": "34dbd7a91cdd2de6a3d6d036ac0a24d27d78e3cc",
        "mel256_music": "15e483646fa3d4091a463f0affbb706e6bbbb098",
    },
    "v0_2_0": {
        "linear_env": "cdd124b91391070897fbec62ccd8b6b0222c0b57",
        "linear_music": "9365d8f01837fdfb57bead16917c03fcc88ab204",
        "mel128_env": "ea27bc20cbb3b8ce6710302d71355cd09643f98d",
        "mel128_music": "1003bd14a895b3ee8541d91d88a04d1c152c51cf",
        "mel256_env": "b5c5534c2a5132a7d63dfe674c5c08702e667095",
        "mel256_music": "a0f80c1c7e16aa908408286a3cb3d8b677ec7005",
    },
}
_OPENL3_SHA256 = {
    "openl3_audio_mel256_music-v0_4_0.h5.gz": (
        "e379f41e880b78e157c199ebddac80d3764e6a46282bcccdbe875bcf538f9afd"
    ),
}
# The same, as OpenL3's own installation unpacks it.
_OPENL3_UNPACKED_SHA256 = "624ee7b1dd5ff87e18073f66fd8b2052bebb8ac70210e9c0937c0c940c63e9d6"
_OPENL3_LICENCE = "CC BY 4.0: name its authors (Cramer, Wu, Salamon and Bello, ICASSP 2019)"
_OPENL3_LARGEST = 64 * _MEGABYTE


def _openl3_files() -> Iterator[WeightFile]:
    for version, blobs in _OPENL3_BLOBS.items():
        for kind, blob in blobs.items():
            name = f"openl3_audio_{kind}-{version}.h5.gz"
            url = f"https://github.com/marl/openl3/raw/models/{name}"
            yield WeightFile(
                f"openl3_{kind}",
                name,
                url,
                _OPENL3_LICENCE,
                largest=_OPENL3_LARGEST,
                sha256=_OPENL3_SHA256.get(name),
                git_blob=blob,
            )
    name = "openl3_audio_mel256_music-v0_4_0.h5"
    yield WeightFile(
        "openl3_mel256_music",
        name,
        f"https://github.com/marl/openl3/raw/models/{name}.gz",
        _OPENL3_LICENCE,
        largest=_OPENL3_LARGEST,
        sha256=_OPENL3_UNPACKED_SHA256,
    )


# Those of one model in the order in which they are looked for; the first is the one to download.
FILES: tuple[WeightFile, ...] = (*_VGGISH, *_openl3_files())


def files_of(model: str) -> list[WeightFile]:
    """Give the published files of one model, the one to download first.

    Parameters
    ----------
    model : str
        The model.

    Returns
    -------
    list of WeightFile
        At least one.

    Examples
    --------
    >>> from skperceptual.embeddings.weights.registry import files_of
    >>> files_of("vggish")[0].name
    'vggish-10086976.pth'
    """
    return [file for file in FILES if file.model == model]
