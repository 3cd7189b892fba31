"""Names of embeddings: what merges, and what does not."""

from __future__ import annotations

import shutil
from functools import partial
from pathlib import Path

import numpy as np
import pytest
import torch

from skperceptual.embeddings import (
    AuditoryEmbedding,
    FrechetAudioDistance,
    FunctionEmbedding,
    HEAREmbedding,
    LogMelEmbedding,
    MissingWeightsError,
    TorchEmbedding,
    shipped,
)
from skperceptual.embeddings.naming import describe
from skperceptual.embeddings.weights.loading import save_weights
from skperceptual.embeddings.weights.source import source_sha256


def halves(clip):
    return clip[:1000].reshape(2, -1)


def quarters(clip):
    return clip[:1000].reshape(4, -1)


def test_equal_parameters_of_other_types_have_one_name():
    names = {
        LogMelEmbedding(fmax=fmax, n_mels=n_mels, eps=eps).identity()
        for fmax, n_mels, eps in (
            (8000, 32, 0.5),
            (8000.0, np.int64(32), np.float32(0.5)),
            (np.float32(8000), 32, np.float64(0.5)),
        )
    }
    assert len(names) == 1
    assert "eps=0.5" in names.pop()


@pytest.mark.parametrize(
    "other", [{"eps": np.float32(0.25)}, {"fmax": np.float64(7000)}, {"n_mels": np.int32(32)}]
)
def test_other_parameters_have_other_names(other):
    assert LogMelEmbedding(**other).identity() != LogMelEmbedding().identity()


def test_the_shipped_encoder_says_which_one_it_is():
    assert AuditoryEmbedding().identity() == f"AuditoryEmbedding(sha256={shipped._SHA256[:12]})"


def test_functions_and_modules_are_named_by_where_they_are_defined():
    names = [
        FunctionEmbedding(function, sr=16000).identity()
        for function in (halves, quarters, partial(halves), np.atleast_2d)
    ]
    assert len(set(names)) == 3
    assert "function=numpy.atleast_2d" in names[3]
    assert f"{__name__}.halves" in names[0]
    module = TorchEmbedding(torch.nn.Unflatten(1, (-1, 4)), sr=16000)
    assert module.identity() == (
        "TorchEmbedding(hop_seconds=None, min_samples=1, "
        "module=torch.nn.modules.flatten.Unflatten, n_dims=None, sr=16000)"
    )
    bare = FunctionEmbedding(type("Odd", (), {"__call__": halves})(), sr=16000)
    assert "0x" not in bare.identity()


def test_statistics_of_different_functions_are_not_merged(rng):
    signals = rng.standard_normal((3, 1600))
    first, other = (
        FrechetAudioDistance(FunctionEmbedding(function, sr=16000, hop_seconds=0.1))
        for function in (halves, quarters)
    )
    statistics = first.statistics(signals)
    with pytest.raises(ValueError, match=r"halves.*quarters|statistics are of"):
        other.fit_statistics(statistics)


def test_transformers_of_others_are_named_by_their_parameters():
    class Mine:
        def get_params(self, deep=True):
            return {"rate": np.float32(2), "bank": np.arange(3.0), "inner": LogMelEmbedding()}

    name = describe(Mine())
    assert "rate=2" in name
    assert f"inner={LogMelEmbedding().identity()}" in name
    assert describe(object()) == "object()"


def test_weights_are_named_by_what_is_in_them(small, tmp_path, openl3_file):
    moved = Path(shutil.copy(openl3_file, tmp_path / "moved.npz"))
    other = save_weights(
        tmp_path / "other.npz",
        small.drawn(small.openl3_shapes, seed=1),
        model="openl3_mel256_music",
        source_sha256="1" * 64,
    )
    name, of_copy, of_other = (
        small.OpenL3(weights=path, device=device).identity()
        for path, device in ((openl3_file, "cpu"), (str(moved), "auto"), (other, "cpu"))
    )
    assert name == of_copy != of_other
    assert "openl3_mel256_music=000000000000" in name  # of the file that it was converted from
    assert str(tmp_path) not in of_other
    with pytest.raises(MissingWeightsError):
        small.OpenL3(weights=tmp_path / "nowhere.npz").identity()


def test_statistics_by_other_weights_are_not_merged(small, tmp_path, openl3_file, rng):
    other = save_weights(
        tmp_path / "other.npz",
        small.drawn(small.openl3_shapes, seed=1),
        model="openl3_mel256_music",
        source_sha256="1" * 64,
    )
    signals = 0.1 * rng.standard_normal((2, 48000))
    one, two = (
        FrechetAudioDistance(
            small.OpenL3(weights=path, hop_seconds=0.5, device="cpu"), sr=48000
        ).statistics(signals)
        for path in (openl3_file, other)
    )
    with pytest.raises(ValueError, match="different embeddings"):
        one + two


def test_a_file_of_pca_is_named_like_the_network(small, vggish_file, pca_file, tmp_path):
    moved = shutil.copy(pca_file, tmp_path / "moved.npz")
    plain, *reduced = (
        small.VGGish(weights=vggish_file, pca=pca).identity()
        for pca in (False, pca_file, str(pca_file), moved)
    )
    assert len(set(reduced)) == 1
    assert "vggish_pca=000000000000" in reduced[0]
    assert "pca" not in plain


def test_weights_of_hear_modules_are_named_by_what_is_in_them(tmp_path):
    names = []
    for folder, content in (("a", b"1"), ("b", b"1"), ("c", b"2")):
        path = tmp_path / folder / "model.pt"
        path.parent.mkdir()
        path.write_bytes(content)
        names.append(HEAREmbedding("mine", weights=str(path)).identity())
    assert names[0] == names[1] != names[2]


@pytest.mark.parametrize("said", ["short", "Z" * 64, np.arange(3), "0" * 65])
def test_a_source_that_is_none_gives_way_to_the_file_itself(tmp_path, said):
    import hashlib

    path = tmp_path / "odd.npz"
    np.savez(path, source_sha256=np.asarray(said))
    assert source_sha256(path) == hashlib.sha256(path.read_bytes()).hexdigest()
