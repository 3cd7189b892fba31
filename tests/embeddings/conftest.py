"""Small networks in place of the published ones, and files with weights that are drawn."""

from __future__ import annotations

import gzip
from pathlib import Path
from types import SimpleNamespace

import numpy as np
import pytest

from skperceptual.embeddings import OpenL3, VGGish, WeightsError
from skperceptual.embeddings.weights.loading import load_weights, save_weights
from skperceptual.embeddings.weights.shapes import VGGISH_PCA_SHAPES, shapes_of_network
from skperceptual.networks import OpenL3Network, VGGishNetwork


class SmallVGGish(VGGish):
    """VGGish with a network of 20 thousand parameters; all else is as ever."""

    @staticmethod
    def _make_network(*parameters):
        return VGGishNetwork((2, 3, 4, 5), 16, 128)


class SmallOpenL3(OpenL3):
    """OpenL3 with a network of a few hundred parameters; all else is as ever."""

    @staticmethod
    def _make_network(*parameters):
        return OpenL3Network(*parameters, channels=(2, 3, 4, 4))

    @property
    def n_dims(self):
        return self.embedding_size // 128


def drawn(shapes, seed=0):
    """Draw weights of the given shapes, under which images do not all become the same."""
    rng = np.random.default_rng(seed)
    arrays = {}
    for name, shape in shapes.items():
        values = rng.normal(size=shape) / np.sqrt(max(1, np.prod(shape[1:])))
        positive = name.endswith("running_var") or (name.startswith("norms") and "weight" in name)
        arrays[name] = np.abs(values) + 0.5 if positive else values
    if "norms.0.running_mean" in arrays:  # of decibels from -80 to 0
        arrays["norms.0.running_mean"] = np.array([-20.0])
        arrays["norms.0.running_var"] = np.array([100.0])
    return {name: array.astype(np.float32) for name, array in arrays.items()}


VGGISH_SHAPES = shapes_of_network(SmallVGGish._make_network())
OPENL3_SHAPES = shapes_of_network(SmallOpenL3._make_network())


def write_keras(path, arrays, *, front_end=False, nested=False):
    """Write a file as Keras 2 does: names as of another session, convolutions channels last."""
    h5py = pytest.importorskip("h5py")
    path = Path(path)
    plain = path.with_suffix("") if path.suffix == ".gz" else path
    with h5py.File(plain, "w") as file:
        root = file.create_group("model_weights") if nested else file
        layers = ["input_1"] + (["melspectrogram_1"] if front_end else [])
        root.create_group("input_1").attrs["weight_names"] = np.array([], dtype="S1")
        if front_end:
            group = root.create_group("melspectrogram_1")
            group["melspectrogram_1/real_kernels:0"] = np.zeros((4, 4), dtype=np.float32)
            group.attrs["weight_names"] = [b"melspectrogram_1/real_kernels:0"]
        for place in range(len(arrays) // 6):
            layer = f"batch_normalization_{place + 17}"
            norm = {
                keras: arrays[f"norms.{place}.{ours}"]
                for keras, ours in (
                    ("gamma", "weight"),
                    ("beta", "bias"),
                    ("moving_mean", "running_mean"),
                    ("moving_variance", "running_var"),
                )
            }
            layers.append(write_layer(root, layer, norm))
            layers.append(f"activation_{place}")
            root.create_group(f"activation_{place}").attrs["weight_names"] = np.array([], "S1")
            layer = "audio_embedding_layer" if place == 7 else f"conv2d_{place + 3}"
            kernel = arrays[f"convolutions.{place}.weight"].transpose(2, 3, 1, 0)
            convolution = {"kernel": kernel, "bias": arrays[f"convolutions.{place}.bias"]}
            layers.append(write_layer(root, layer, convolution))
        root.attrs["layer_names"] = [name.encode() for name in layers]
    if path.suffix == ".gz":
        path.write_bytes(gzip.compress(plain.read_bytes()))
        plain.unlink()
    return path


def write_layer(root, layer, arrays):
    group = root.create_group(layer)
    for name, array in arrays.items():
        group[f"{layer}/{name}:0"] = array
    group.attrs["weight_names"] = [f"{layer}/{name}:0".encode() for name in arrays]
    return layer


@pytest.fixture(scope="session")
def small():
    """The small estimators, the shapes of their weights, and what makes files of weights."""
    return SimpleNamespace(
        VGGish=SmallVGGish,
        OpenL3=SmallOpenL3,
        vggish_shapes=VGGISH_SHAPES,
        openl3_shapes=OPENL3_SHAPES,
        drawn=drawn,
        write_keras=write_keras,
    )


@pytest.fixture(autouse=True)
def no_weights_of_this_machine(monkeypatch, tmp_path, request):
    """Let no test find weights that somebody put on this machine, but for those made for them."""
    if request.node.get_closest_marker("slow") is None:
        monkeypatch.delenv("SKPERCEPTUAL_WEIGHTS_DIR", raising=False)
        monkeypatch.setenv("SKPERCEPTUAL_DATA", str(tmp_path / "no data"))


@pytest.fixture(scope="session")
def vggish_file(tmp_path_factory):
    path = tmp_path_factory.mktemp("weights") / "small_vggish.npz"
    return save_weights(path, drawn(VGGISH_SHAPES), model="vggish", source_sha256="0" * 64)


@pytest.fixture(scope="session")
def pca_file(tmp_path_factory):
    path = tmp_path_factory.mktemp("weights") / "small_pca.npz"
    return save_weights(path, drawn(VGGISH_PCA_SHAPES), model="vggish_pca", source_sha256="0" * 64)


@pytest.fixture(scope="session")
def openl3_file(tmp_path_factory):
    path = tmp_path_factory.mktemp("weights") / "small_openl3.npz"
    return save_weights(
        path, drawn(OPENL3_SHAPES), model="openl3_mel256_music", source_sha256="0" * 64
    )


@pytest.fixture
def vggish_arrays(small):
    return small.drawn(small.vggish_shapes)


@pytest.fixture
def openl3_arrays(small):
    return small.drawn(small.openl3_shapes)


@pytest.fixture
def refused(small, monkeypatch):
    """Give a function that asserts that nothing reads a file, and gives the message."""

    def check(path, model="vggish", shapes=None, *, opened=False):
        with monkeypatch.context() as patched:
            if not opened:
                for reader in ("read_npz", "read_torch", "read_keras"):
                    patched.delattr(f"skperceptual.embeddings.weights.loading.{reader}")
            with pytest.raises(WeightsError) as caught:
                load_weights(Path(path), model, shapes or small.vggish_shapes)
        assert str(path) in str(caught.value)
        return str(caught.value)

    return check
