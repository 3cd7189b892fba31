"""Files of weights that are damaged or made to do harm: nothing runs, and no memory is taken."""

from __future__ import annotations

import gzip
import io
import os
import pickle
import struct
import zipfile
import zlib
from pathlib import Path

import numpy as np
import pytest
import torch

from skperceptual.embeddings.weights.loading import load_weights
from skperceptual.embeddings.weights.shapes import VGGISH_PCA_SHAPES

OPENL3 = "openl3_mel256_music"


class Trap:
    """Touches a file when it is unpickled."""

    def __init__(self, mark):
        self.mark = mark

    def __reduce__(self):
        return Path.touch, (self.mark,)


def test_pickles_that_run_code_are_refused_and_run_nothing(vggish_arrays, tmp_path, refused):
    mark = tmp_path / "executed"
    traps = dict(vggish_arrays) | {"features.0.bias": Trap(mark)}
    files = []
    for zipped in (True, False):
        path = tmp_path / f"trap{zipped}.pth"
        torch.save(traps, path, _use_new_zipfile_serialization=zipped)
        files.append(path)
    (tmp_path / "pickle.pth").write_bytes(pickle.dumps(Trap(mark)))
    (tmp_path / "pickle.npz").write_bytes(pickle.dumps(Trap(mark)))
    objects = np.array([Trap(mark)], dtype=object)
    np.savez(tmp_path / "objects.npz", **(vggish_arrays | {"features.0.bias": objects}))
    np.savez(tmp_path / "fact.npz", **vggish_arrays, model=objects)
    files += [tmp_path / name for name in ("pickle.pth", "pickle.npz", "objects.npz", "fact.npz")]
    for path in files:
        message = refused(path, opened=True)
        assert "weights_only" not in message  # no advice to load it unsafely
    assert not mark.exists()
    with (tmp_path / "pickle.pth").open("rb") as file:  # the trap is one
        pickle.load(file)
    assert mark.exists()


def test_arrays_of_objects_inside_a_file_of_torch(tmp_path, refused):
    mark = tmp_path / "executed"
    arrays = {"pca_eigen_vectors": np.array([Trap(mark)], dtype=object), "pca_means": np.zeros(128)}
    torch.save(arrays, tmp_path / "a.pth")
    refused(tmp_path / "a.pth", "vggish_pca", VGGISH_PCA_SHAPES, opened=True)
    assert not mark.exists()


def test_headers_that_promise_too_much_take_no_memory(vggish_arrays, tmp_path, refused):
    header = io.BytesIO()
    np.lib.format.write_array_header_1_0(
        header, {"descr": "<f4", "fortran_order": False, "shape": (2**40,)}
    )
    np.savez(tmp_path / "a.npz", **vggish_arrays)
    with (
        zipfile.ZipFile(tmp_path / "a.npz") as given,
        zipfile.ZipFile(tmp_path / "b.npz", "w", zipfile.ZIP_DEFLATED) as made,
        zipfile.ZipFile(tmp_path / "c.npz", "w", zipfile.ZIP_DEFLATED) as bomb,
    ):
        for info in given.infolist():
            content = given.read(info)
            is_first = info.filename == "features.0.bias.npy"
            made.writestr(info.filename, header.getvalue() if is_first else content)
            bomb.writestr(info.filename, content + (b"\0" * 10**7 if is_first else b""))
    assert "of shape (1099511627776,)" in refused(tmp_path / "b.npz", opened=True)
    assert "unpacks to more bytes" in refused(tmp_path / "c.npz", opened=True)


@pytest.mark.parametrize("zipped", [True, False])
def test_tensors_that_promise_too_much_take_no_memory(tmp_path, refused, zipped):
    path = tmp_path / "a.pth"
    torch.save({"a": torch.zeros(70000)}, path, _use_new_zipfile_serialization=zipped)
    size, larger = (70000).to_bytes(4, "little"), (2**31 - 1).to_bytes(4, "little")
    if zipped:
        with zipfile.ZipFile(path) as given, zipfile.ZipFile(tmp_path / "b.pth", "w") as made:
            for info in given.infolist():
                made.writestr(info.filename, given.read(info).replace(b"J" + size, b"J" + larger))
    else:
        content = path.read_bytes()
        assert b"J" + size in content
        (tmp_path / "b.pth").write_bytes(content.replace(b"J" + size, b"J" + larger))
    assert "speaks of 2,147,483,647" in refused(tmp_path / "b.pth", opened=True)


def test_what_unpacks_to_too_much(small, tmp_path, refused):
    path = tmp_path / "a.h5.gz"
    path.write_bytes(gzip.compress(b"\0" * (65 * 10**6)))
    assert "unpacks to more than 64,000,000 bytes" in refused(
        path, OPENL3, small.openl3_shapes, opened=True
    )


def test_files_larger_than_any_weights_are_not_even_hashed(tmp_path, refused):
    path = tmp_path / "a.npz"
    with path.open("wb") as file:
        os.truncate(file.fileno(), 10**10)  # takes no room on the disk
    assert "10,000,000,000 bytes, and no weights of vggish have more than" in refused(path)


def test_files_of_keras_that_point_elsewhere(small, openl3_arrays, tmp_path, refused):
    h5py = pytest.importorskip("h5py")
    other = small.write_keras(tmp_path / "other.h5", openl3_arrays)
    gamma = "batch_normalization_17/gamma:0"

    def soft(group):
        group[gamma] = h5py.SoftLink("/batch_normalization_18/gamma:0")

    def external(group):
        group[gamma] = h5py.ExternalLink(str(other), f"/batch_normalization_17/{gamma}")

    def raw(group):
        group.create_dataset(gamma, (1,), "f4", external=[(str(other), 0, 4)])

    def virtual(group):
        layout = h5py.VirtualLayout((1,), "f4")
        layout[:] = h5py.VirtualSource(str(other), f"batch_normalization_17/{gamma}", (1,))
        group.create_virtual_dataset(gamma, layout)

    for place, point in enumerate((soft, external, raw, virtual)):
        path = small.write_keras(tmp_path / f"{place}.h5", openl3_arrays)
        with h5py.File(path, "a") as file:
            group = file["batch_normalization_17"]
            del group[gamma]
            point(group)
        message = refused(path, OPENL3, small.openl3_shapes, opened=True)
        assert "elsewhere" in message or "not in the file itself" in message


def test_pieces_larger_than_what_they_hold(small, openl3_arrays, tmp_path, refused):
    h5py = pytest.importorskip("h5py")
    path = small.write_keras(tmp_path / "a.h5", openl3_arrays)
    with h5py.File(path, "a") as file:
        group = file["batch_normalization_17"]
        del group["batch_normalization_17/gamma:0"]
        group.create_dataset(
            "batch_normalization_17/gamma:0", (1,), "f4", maxshape=(None,), chunks=(10**6,)
        )
    assert "pieces larger" in refused(path, OPENL3, small.openl3_shapes, opened=True)


def pieces(path, content):
    """Let a dataset of Keras be of compressed pieces, of which one unpacks to ``content``."""
    h5py = pytest.importorskip("h5py")
    with h5py.File(path, "a") as file:
        group = file["batch_normalization_17"]
        del group["batch_normalization_17/gamma:0"]
        dataset = group.create_dataset(
            "batch_normalization_17/gamma:0", (1,), "f4", chunks=(1,), compression="gzip"
        )
        dataset.id.write_direct_chunk((0,), zlib.compress(content))


@pytest.mark.parametrize("n_bytes", [4, 10**7])
def test_compressed_pieces_are_not_unpacked(small, openl3_arrays, tmp_path, refused, n_bytes):
    path = small.write_keras(tmp_path / "a.h5", openl3_arrays)
    pieces(path, b"\0" * n_bytes)
    message = refused(path, OPENL3, small.openl3_shapes, opened=True)
    assert "'norms.0.weight' compressed" in message


# Members of an .npz file


def npy(descr="<f4", shape=(128,), content=b""):
    header = io.BytesIO()
    about = {"descr": descr, "fortran_order": False, "shape": shape}
    np.lib.format.write_array_header_1_0(header, about)
    return header.getvalue() + content


def raw_header(text):
    return b"\x93NUMPY\x01\x00" + struct.pack("<H", len(text)) + text


@pytest.fixture
def pca_members(small):
    def member(array):
        file = io.BytesIO()
        np.save(file, array)
        return file.getvalue()

    return {f"{k}.npy": member(array) for k, array in small.drawn(VGGISH_PCA_SHAPES).items()}


def zipped(path, *members, compression=zipfile.ZIP_STORED):
    with zipfile.ZipFile(path, "w", compression) as archive:
        for name, content in members:
            archive.writestr(name, content)
    return path


@pytest.mark.filterwarnings("ignore:Duplicate name")
@pytest.mark.parametrize("name", ["pca_means", "pca_means.npy"])
@pytest.mark.parametrize("first", [True, False])
def test_the_array_that_was_checked_is_the_one_that_is_read(
    pca_members, tmp_path, refused, name, first
):
    # NumPy takes a member without .npy before the one with it
    other = (name, npy(shape=(10**9,)))
    members = list(pca_members.items())
    path = zipped(tmp_path / "a.npz", *([other, *members] if first else [*members, other]))
    message = refused(path, "vggish_pca", VGGISH_PCA_SHAPES, opened=True)
    assert f"holds '{name}" in message
    assert "as NumPy does not write it" in message


def test_compressions_that_numpy_does_not_write(pca_members, tmp_path, refused):
    # those of LZMA name the memory that unpacking takes
    path = zipped(tmp_path / "a.npz", *pca_members.items(), compression=zipfile.ZIP_LZMA)
    assert "another compression" in refused(path, "vggish_pca", VGGISH_PCA_SHAPES, opened=True)


@pytest.mark.parametrize(
    ("descr", "shape"), [("<U1", (10**10,)), ("<U1", (1,)), ("<U129", ()), ("|S8", ())]
)
@pytest.mark.parametrize("fact", ["model", "source_sha256"])
def test_facts_are_one_short_text(pca_members, tmp_path, refused, descr, shape, fact):
    content = npy(descr, shape, b"\0" * 600)
    path = zipped(tmp_path / "a.npz", *pca_members.items(), (f"{fact}.npy", content))
    message = refused(path, "vggish_pca", VGGISH_PCA_SHAPES, opened=True)
    assert f"for {fact!r}, expected one text of up to 128 characters" in message


@pytest.mark.parametrize(
    "text",
    [
        b"{'descr': '<f4', 'fortran_order': False, 'shape': (((((\n",
        b"{'descr': " + b"(" * 1500 + b"\n",
        b"{'descr': " + b"-" * 3000 + b"1\n",
        b"\xff\n",
    ],
    ids=["open", "nested", "deep", "binary"],
)
def test_headers_that_are_no_headers(pca_members, tmp_path, refused, text):
    members = pca_members | {"pca_means.npy": raw_header(text)}
    path = zipped(tmp_path / "a.npz", *members.items())
    message = refused(path, "vggish_pca", VGGISH_PCA_SHAPES, opened=True)
    assert "cannot be read as an .npz file" in message


def test_damaged_compression(small, tmp_path, refused):
    path = tmp_path / "a.npz"
    np.savez_compressed(path, **small.drawn(VGGISH_PCA_SHAPES))
    content = bytearray(path.read_bytes())
    content[400:500] = bytes(byte ^ 0xFF for byte in content[400:500])
    path.write_bytes(content)
    assert "(error: " in refused(path, "vggish_pca", VGGISH_PCA_SHAPES, opened=True)


def test_members_that_say_they_are_encrypted(pca_members, tmp_path, refused):
    path = zipped(tmp_path / "a.npz", *pca_members.items())
    content = bytearray(path.read_bytes())
    content[content.find(b"PK\x03\x04") + 6] |= 1
    content[content.find(b"PK\x01\x02") + 8] |= 1
    path.write_bytes(content)
    assert "RuntimeError" in refused(path, "vggish_pca", VGGISH_PCA_SHAPES, opened=True)


# Tensors of every kind


@pytest.mark.parametrize(
    "made",
    [torch.nn.Parameter, torch.Tensor.double, torch.Tensor.bfloat16, torch.Tensor.half],
    ids=["parameter", "double", "bfloat16", "half"],
)
def test_tensors_that_hold_real_numbers_are_read(small, tmp_path, made):
    expected = {name: np.round(a * 8) / 8 for name, a in small.drawn(VGGISH_PCA_SHAPES).items()}
    path = tmp_path / "a.pth"
    torch.save({name: made(torch.tensor(array)) for name, array in expected.items()}, path)
    found = load_weights(path, "vggish_pca", VGGISH_PCA_SHAPES)
    for name, array in expected.items():
        np.testing.assert_array_equal(found[name], array, strict=True)


@pytest.mark.parametrize(
    ("made", "needle"),
    [
        (torch.Tensor.to_sparse, "layout torch.sparse_coo"),
        (lambda tensor: tensor.to("meta"), "device meta"),
        (lambda tensor: tensor.to(torch.complex64).conj(), "complex64"),
        (torch.Tensor.int, "int32"),
        (lambda tensor: {"a": tensor}, "a dict for"),
    ],
    ids=["sparse", "meta", "conjugate", "integer", "nested"],
)
def test_tensors_that_hold_none_are_refused(small, tmp_path, refused, made, needle):
    arrays = small.drawn(VGGISH_PCA_SHAPES)
    path = tmp_path / "a.pth"
    torch.save({name: made(torch.tensor(array)) for name, array in arrays.items()}, path)
    assert needle in refused(path, "vggish_pca", VGGISH_PCA_SHAPES, opened=True)


def test_arrays_of_numpy_are_for_the_one_published_file_that_has_them(
    vggish_arrays, tmp_path, refused
):
    path = tmp_path / "a.pth"
    torch.save(vggish_arrays, path)
    assert "a file of torch with tensors alone" in refused(path, opened=True)
