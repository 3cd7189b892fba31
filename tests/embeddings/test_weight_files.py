"""Files of weights: every format there and back, and everything that may be wrong with one."""

from __future__ import annotations

import gzip

import numpy as np
import pytest
import torch

from skperceptual.embeddings import WeightsError, convert_weights
from skperceptual.embeddings.weights import registry
from skperceptual.embeddings.weights.identity import digests_of
from skperceptual.embeddings.weights.loading import load_weights, save_weights
from skperceptual.embeddings.weights.shapes import VGGISH_PCA_SHAPES, shapes_of

OPENL3 = "openl3_mel256_music"


def same(found, expected):
    assert list(found) == list(expected)
    for name, array in expected.items():
        np.testing.assert_array_equal(found[name], array, strict=True)
    return True


def save_torch(path, arrays, *, zipped=True):
    state = {name: torch.tensor(array) for name, array in arrays.items()}
    torch.save(state, path, _use_new_zipfile_serialization=zipped)
    return path


# There and back


@pytest.mark.parametrize("zipped", [True, False])
@pytest.mark.parametrize("suffix", [".pth", ".pt"])
def test_files_of_torch(small, vggish_arrays, tmp_path, zipped, suffix):
    path = save_torch(tmp_path / f"mine{suffix}", vggish_arrays, zipped=zipped)
    assert same(load_weights(path, "vggish", small.vggish_shapes), vggish_arrays)


def test_names_of_torchaudio(small, vggish_arrays, tmp_path):
    renamed = {
        name.replace("features.", "features_network.").replace(
            "embeddings.", "embedding_network."
        ): array
        for name, array in vggish_arrays.items()
    }
    path = save_torch(tmp_path / "vggish.pt", renamed)
    assert same(load_weights(path, "vggish", small.vggish_shapes), vggish_arrays)


def test_files_of_numpy(small, vggish_arrays, tmp_path):
    for name, save in {"plain": np.savez, "packed": np.savez_compressed}.items():
        path = tmp_path / f"{name}.npz"
        wide = {key: array.astype(np.float64) for key, array in vggish_arrays.items()}
        save(path, **wide)
        assert same(load_weights(path, "vggish", small.vggish_shapes), vggish_arrays)


@pytest.mark.parametrize("ending", [".h5", ".h5.gz"])
@pytest.mark.parametrize("nested", [False, True])
def test_files_of_keras(small, openl3_arrays, tmp_path, ending, nested):
    path = small.write_keras(tmp_path / f"mine{ending}", openl3_arrays, nested=nested)
    assert same(load_weights(path, OPENL3, small.openl3_shapes), openl3_arrays)


@pytest.mark.parametrize("old_name", [False, True])
def test_arrays_of_numpy_in_a_file_of_torch(small, tmp_path, old_name):
    expected = small.drawn(VGGISH_PCA_SHAPES)
    arrays = expected | {"pca_means": expected["pca_means"][:, np.newaxis]}
    path = tmp_path / "pca.pth"
    torch.save(arrays, path, _use_new_zipfile_serialization=False)
    if old_name:
        # as NumPy 1 wrote it; names end with their line
        content = path.read_bytes().replace(b"numpy._core.multiarray", b"numpy.core.multiarray")
        path.write_bytes(content)
    assert same(load_weights(path, "vggish_pca", VGGISH_PCA_SHAPES), expected)


def test_converted_files_say_where_they_come_from(small, vggish_arrays, tmp_path):
    path = save_weights(
        tmp_path / "vggish.npz", vggish_arrays, model="vggish", source_sha256="ab" * 32
    )
    assert [entry.name for entry in tmp_path.iterdir()] == ["vggish.npz"]
    with np.load(path, allow_pickle=False) as stored:
        assert (str(stored["model"]), str(stored["source_sha256"])) == ("vggish", "ab" * 32)
    assert same(load_weights(path, "vggish", small.vggish_shapes), vggish_arrays)
    with pytest.raises(ValueError, match=r"ends in \.npz, got 'vggish\.pth'"):
        save_weights(tmp_path / "vggish.pth", {}, model="vggish", source_sha256="")


def test_conversion(small, tmp_path):
    arrays = small.drawn(shapes_of(OPENL3))
    source = small.write_keras(tmp_path / "mine.h5.gz", arrays)
    target = convert_weights(source, tmp_path / f"{OPENL3}.npz", model=OPENL3)
    assert same(load_weights(target, OPENL3, shapes_of(OPENL3)), arrays)
    with np.load(target, allow_pickle=False) as stored:
        assert str(stored["source_sha256"]) == digests_of(source).sha256
    with pytest.raises(WeightsError, match=f"holds weights of {OPENL3}, and openl3_linear_env"):
        load_weights(target, "openl3_linear_env", shapes_of("openl3_linear_env"))


def test_conversion_needs_to_know_the_model(tmp_path):
    with pytest.raises(ValueError, match=r"mine\.h5 is not the name of a published file"):
        convert_weights(tmp_path / "mine.h5", tmp_path / "mine.npz")
    with pytest.raises(ValueError, match="model='vgg' is not one of"):
        convert_weights(tmp_path / "mine.h5", tmp_path / "mine.npz", model="vgg")
    with pytest.raises(FileNotFoundError, match=r"vggish-10086976\.pth"):
        convert_weights(tmp_path / "vggish-10086976.pth", tmp_path / "vggish.npz")


@pytest.mark.slow
def test_vggish_in_its_real_size(small, tmp_path):
    arrays = small.drawn(shapes_of("vggish"))
    path = save_torch(tmp_path / "mine.pth", arrays, zipped=False)
    target = convert_weights(path, tmp_path / "vggish.npz", model="vggish")
    assert same(load_weights(target, "vggish", shapes_of("vggish")), arrays)


def test_registry_holds_what_was_published():
    assert {file.model for file in registry.FILES} == {
        "vggish",
        "vggish_pca",
        *(f"openl3_{r}_{c}" for r in ("linear", "mel128", "mel256") for c in ("music", "env")),
    }
    assert len({file.name for file in registry.FILES}) == len(registry.FILES)
    for file in registry.FILES:
        assert file.url.startswith("https://")
        assert file.sha256 or file.git_blob or file.size
        assert file.git_blob is None or len(file.git_blob) == 40
    by_name = {file.name: file for file in registry.FILES}
    assert by_name["vggish-10086976.pth"].sha256.startswith("10086976")
    assert len(registry.files_of(OPENL3)) == 3


def test_git_ids_are_those_of_git(tmp_path):
    (tmp_path / "empty").write_bytes(b"")
    (tmp_path / "hello").write_bytes(b"hello\n")
    assert digests_of(tmp_path / "empty").git_blob == "e69de29bb2d1d6434b8b29ae775ad8c2e48c5391"
    assert digests_of(tmp_path / "hello").git_blob == "ce013625030ba8dba906f756967f9e9ca394464a"


# Not what it should be


def test_a_published_name_with_other_content_is_never_opened(vggish_arrays, tmp_path, refused):
    path = save_torch(tmp_path / "vggish-10086976.pth", vggish_arrays)
    message = refused(path)
    assert "10086976245803799d9194e9a73d9b6c1549c71d1b80106f5cade5608a561f4b" in message
    assert digests_of(path).sha256 in message
    assert "It was not opened" in message
    path = tmp_path / "openl3_audio_mel128_env-v0_4_0.h5.gz"
    path.write_bytes(gzip.compress(b"no weights"))
    assert "8c3dfee140f7776373841e5938a3e76c54f28942" in refused(path, "openl3_mel128_env")


@pytest.fixture
def published(small, openl3_arrays, tmp_path, monkeypatch):
    """Publish small files under the names of two models, which shapes cannot tell apart."""
    files = []
    for seed, kind in enumerate(("mel128_env", "mel256_music")):
        name = f"openl3_audio_{kind}-v0_4_0.h5.gz"
        path = small.write_keras(tmp_path / name, small.drawn(small.openl3_shapes, seed))
        files.append(
            registry.WeightFile(
                f"openl3_{kind}",
                name,
                f"https://example.org/{name}",
                "CC0",
                largest=10**6,
                git_blob=digests_of(path).git_blob,
            )
        )
    monkeypatch.setattr(registry, "FILES", tuple(files))
    return tmp_path


def test_published_files_are_read(small, published):
    path = published / "openl3_audio_mel256_music-v0_4_0.h5.gz"
    assert same(
        load_weights(path, OPENL3, small.openl3_shapes), small.drawn(small.openl3_shapes, 1)
    )


@pytest.mark.parametrize("name", [None, "mine.h5.gz"])
def test_files_of_another_model_are_recognised(small, published, refused, name):
    path = published / "openl3_audio_mel128_env-v0_4_0.h5.gz"
    path = path.rename(published / name) if name else path
    message = refused(path, OPENL3, small.openl3_shapes)
    assert "holds weights of openl3_mel128_env" in message
    assert "Use openl3_audio_mel256_music-v0_4_0.h5.gz" in message


def test_files_are_found_by_environment_and_cache(small, published, monkeypatch, tmp_path):
    embedding = small.OpenL3(hop_seconds=1.0)
    clip = np.zeros((1, 48000))
    monkeypatch.setenv("SKPERCEPTUAL_WEIGHTS_DIR", str(published))
    expected = embedding.fit(clip).weights_sha256_
    assert list(expected) == [OPENL3]
    monkeypatch.delenv("SKPERCEPTUAL_WEIGHTS_DIR")
    with pytest.raises(FileNotFoundError, match="no data"):
        embedding.fit(clip)
    home = tmp_path / "home" / "weights"
    home.mkdir(parents=True)
    name = "openl3_audio_mel256_music-v0_4_0.h5.gz"
    (home / name).write_bytes((published / name).read_bytes())
    monkeypatch.setenv("SKPERCEPTUAL_DATA", str(home.parent))
    assert embedding.fit(clip).weights_sha256_ == expected


def test_converted_files_are_found_before_published_ones(
    small, openl3_arrays, published, monkeypatch
):
    converted = save_weights(
        published / f"{OPENL3}.npz", openl3_arrays, model=OPENL3, source_sha256="0" * 64
    )
    monkeypatch.setenv("SKPERCEPTUAL_WEIGHTS_DIR", str(published))
    monkeypatch.setitem(__import__("sys").modules, "h5py", None)
    found = small.OpenL3(hop_seconds=1.0).fit(np.zeros((1, 48000))).weights_sha256_
    assert found == {OPENL3: digests_of(converted).sha256}


@pytest.mark.parametrize("share", [0.0, 0.3, 0.9, 0.999])
def test_truncated_files(small, vggish_arrays, openl3_arrays, tmp_path, refused, share):
    save_weights(tmp_path / "a.npz", vggish_arrays, model="vggish", source_sha256="")
    save_torch(tmp_path / "b.pth", vggish_arrays)
    save_torch(tmp_path / "c.pth", vggish_arrays, zipped=False)
    small.write_keras(tmp_path / "d.h5", openl3_arrays)
    small.write_keras(tmp_path / "e.h5.gz", openl3_arrays)
    for path in sorted(tmp_path.iterdir()):
        content = path.read_bytes()
        path.write_bytes(content[: int(share * len(content))])
        model, shapes = (
            (OPENL3, small.openl3_shapes) if ".h5" in path.name else ("vggish", small.vggish_shapes)
        )
        message = refused(path, model, shapes, opened=True)
        assert "truncated" in message


def test_weights_of_other_networks(small, vggish_arrays, openl3_arrays, tmp_path, refused):
    wide = dict(vggish_arrays)
    wide["features.0.weight"] = np.zeros((9, 1, 3, 3), dtype=np.float32)
    missing = {name: array for name, array in vggish_arrays.items() if name != "embeddings.4.bias"}
    extra = vggish_arrays | {"classifier.weight": np.zeros((2, 2), dtype=np.float32)}
    for place, arrays in enumerate((wide, missing, extra, openl3_arrays)):
        np.savez(tmp_path / f"{place}.npz", **arrays)
        for path in (tmp_path / f"{place}.npz", save_torch(tmp_path / f"{place}.pth", arrays)):
            assert "another model" in refused(path, opened=True)
    narrow = dict(openl3_arrays)
    narrow["convolutions.3.weight"] = narrow["convolutions.3.weight"][:1]
    for place, arrays in enumerate(
        (narrow, {name: openl3_arrays[name] for name in list(openl3_arrays)[:42]})
    ):
        path = small.write_keras(tmp_path / f"{place}.h5", arrays)
        assert "another model" in refused(path, OPENL3, small.openl3_shapes, opened=True)


@pytest.mark.parametrize("value", [np.nan, np.inf])
def test_damaged_numbers(small, vggish_arrays, openl3_arrays, tmp_path, refused, value):
    for arrays in (vggish_arrays, openl3_arrays):
        next(iter(arrays.values())).flat[0] = value
    np.savez(tmp_path / "a.npz", **vggish_arrays)
    assert "NaN or infinity" in refused(tmp_path / "a.npz", opened=True)
    assert "NaN or infinity" in refused(save_torch(tmp_path / "a.pth", vggish_arrays), opened=True)
    path = small.write_keras(tmp_path / "a.h5", openl3_arrays)
    assert "NaN or infinity" in refused(path, OPENL3, small.openl3_shapes, opened=True)


def test_integers_are_no_weights(vggish_arrays, tmp_path, refused):
    vggish_arrays["features.0.bias"] = vggish_arrays["features.0.bias"].astype(np.int32)
    np.savez(tmp_path / "a.npz", **vggish_arrays)
    assert "int32" in refused(tmp_path / "a.npz", opened=True)
    assert "int32" in refused(save_torch(tmp_path / "a.pth", vggish_arrays), opened=True)


def test_older_files_of_openl3_have_to_be_the_published_ones(
    small, openl3_arrays, tmp_path, refused
):
    path = small.write_keras(tmp_path / "mine.h5", openl3_arrays, front_end=True)
    message = refused(path, OPENL3, small.openl3_shapes, opened=True)
    assert "before 0.4" in message
    assert "openl3_audio_mel256_music-v0_4_0.h5.gz" in message


def test_older_published_files_lose_their_front_end(small, openl3_arrays, tmp_path, monkeypatch):
    name = "openl3_audio_mel256_music-v0_2_0.h5.gz"
    path = small.write_keras(tmp_path / name, openl3_arrays, front_end=True)
    file = next(file for file in registry.FILES if file.name == name)
    published = file._replace(git_blob=digests_of(path).git_blob)
    monkeypatch.setattr(registry, "FILES", (published,))
    assert same(load_weights(path, OPENL3, small.openl3_shapes), openl3_arrays)


def test_unknown_endings(tmp_path, refused):
    path = tmp_path / "vggish_model.ckpt"
    path.write_bytes(b"tensorflow")
    message = refused(path)
    assert ".npz, .pth, .pt, .h5, .h5.gz" in message
    assert "use the published conversion, vggish-10086976.pth" in message


def test_h5py_is_asked_for_by_its_extra(small, openl3_arrays, tmp_path, monkeypatch):
    path = small.write_keras(tmp_path / "a.h5", openl3_arrays)
    monkeypatch.setitem(__import__("sys").modules, "h5py", None)
    with pytest.raises(ImportError, match=r"skperceptual\[openl3\]"):
        load_weights(path, OPENL3, small.openl3_shapes)
