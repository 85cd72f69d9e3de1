"""Hostile files, made by small functions: each wants to read or write elsewhere, run code, or take memory.

`CORPUS` names a function that writes a file into a folder and returns what reads it. CANARY lies beside the
folder, with a secret that must never come back; EVIDENCE must never appear.
"""

from __future__ import annotations

import io
import json
import os
import pickle
import struct
import zipfile
import zlib
from collections.abc import Callable
from pathlib import Path

import h5py
import numpy as np
import torch

from compress.artifacts.folder import read_folder
from compress.datasets.formats.framing import HEADER_BYTES, frame, masked_crc
from compress.extract.backbones.onnx import check_self_contained
from compress.extract.backbones.weights import read_weights
from compress.extract.frames import opened
from compress.faiss_engine import faiss
from tests.doors.formats import read_faiss, sealed, videos, workspace
from tests.store.test_hostile import HOSTILE, forge

CANARY, EVIDENCE, SECRET = "canary", "evidence", b"top secret bytes"
Reading = Callable[[], object]
Maker = Callable[[Path], Reading]


class Bomb:
    """Unpickled, it leaves EVIDENCE in the working folder."""

    def __reduce__(self) -> tuple[object, tuple[str]]:
        return os.system, (f"touch {EVIDENCE}",)


def written(name: str, content: bytes, read: Callable[[Path], object]) -> Maker:
    def make(folder: Path) -> Reading:
        (folder / name).write_bytes(content)
        return lambda: read(folder / name)

    return make


def hdf5(fill: Callable[[h5py.File], object]) -> Maker:
    def make(folder: Path) -> Reading:
        with h5py.File(folder / "a.h5", "w") as file:
            fill(file)
        return lambda: videos(folder / "a.h5")

    return make


def elsewhere(file: h5py.File) -> None:
    file.create_dataset("features", (2, 2), "f4", external=[(f"../{CANARY}", 0, 16)])


def linked(file: h5py.File) -> None:
    file["features"] = h5py.ExternalLink(f"../{CANARY}", "/features")


def virtual(file: h5py.File) -> None:
    layout = h5py.VirtualLayout((2, 2), "f4")
    layout[:] = h5py.VirtualSource(f"../{CANARY}", "features", (2, 2))
    file.create_virtual_dataset("features", layout)


def looped(file: h5py.File) -> None:
    file["features"] = h5py.SoftLink("/features")
    file["again"] = file["/"]


def unknown_filter(file: h5py.File) -> None:
    creation = h5py.h5p.create(h5py.h5p.DATASET_CREATE)
    creation.set_chunk((2, 2))
    creation.set_filter(32015, h5py.h5z.FLAG_OPTIONAL, ())
    h5py.h5d.create(file.id, b"features", h5py.h5t.IEEE_F32LE, h5py.h5s.create_simple((2, 2)), creation)


def claims(file: h5py.File) -> None:
    file.create_dataset("features", (2**38, 10), "f4", chunks=(1024, 10))


def store(change: Callable[[h5py.File], object]) -> Maker:
    def make(folder: Path) -> Reading:
        (folder / "secret").write_bytes(SECRET)
        path = forge(folder / "a.h5", change)
        return lambda: sealed(path)

    return make


def npz_bomb() -> bytes:
    """Four kilobytes that say they are four gigabytes of one video; they do unpack to much."""
    head = io.BytesIO()
    np.lib.format.write_array_header_1_0(
        head, {"descr": "<f4", "fortran_order": False, "shape": (1, 1 << 30)}
    )
    data = io.BytesIO()
    with (
        zipfile.ZipFile(data, "w", zipfile.ZIP_DEFLATED) as archive,
        archive.open("features.npy", "w") as member,
    ):
        member.write(head.getvalue() + bytes(1 << 22))
    return data.getvalue()


def npz_of_zeros(folder: Path) -> Reading:
    """One array of 300 MB in 300 kB, column by column, so that it has to be whole."""
    with (
        zipfile.ZipFile(folder / "a.npz", "w", zipfile.ZIP_DEFLATED, compresslevel=1) as archive,
        archive.open("features.npy", "w") as member,
    ):
        shape = (75, 1 << 20)
        np.lib.format.write_array_header_1_0(member, {"descr": "<f4", "fortran_order": True, "shape": shape})
        for _ in range(75):
            member.write(bytes(4 << 20))
    return lambda: videos(folder / "a.npz")


def objects(name: str, save: Callable[..., None], **arrays: object) -> Maker:
    def make(folder: Path) -> Reading:
        array = np.empty((2, 2), dtype=object)
        array[:] = Bomb()
        save(folder / name, array) if not arrays else save(folder / name, features=array)
        return lambda: videos(folder / name)

    return make


def npy_claim() -> bytes:
    head = io.BytesIO()
    np.lib.format.write_array_header_1_0(head, {"descr": "<f4", "fortran_order": False, "shape": (2**40, 8)})
    return head.getvalue() + bytes(64)


def pickled(name: str, read: Callable[[Path], object]) -> Maker:
    return written(name, pickle.dumps(Bomb()), read)


def torch_bomb(folder: Path) -> Reading:
    """What torch.save makes of an object, with the packing that makes a bomb."""
    torch.save({"w": Bomb()}, folder / "a.pt")
    return lambda: read_weights(folder / "a.pt")


def packed_tensors(folder: Path) -> Reading:
    torch.save({"w": torch.zeros(1 << 20)}, folder / "stored.pt")
    with (
        zipfile.ZipFile(folder / "stored.pt") as stored,
        zipfile.ZipFile(folder / "a.pt", "w", zipfile.ZIP_DEFLATED) as packed,
    ):
        for name in stored.namelist():
            packed.writestr(name, stored.read(name))
    return lambda: read_weights(folder / "a.pt")


def endless_tensor(folder: Path) -> Reading:
    torch.save({"features": torch.zeros(1).expand(2**34, 8)}, folder / "a.pt")
    return lambda: videos(folder / "a.pt")


def safetensors(header: object, size: int | None = None, data: bytes = bytes(8)) -> Maker:
    text = json.dumps(header).encode() if not isinstance(header, bytes) else header
    content = struct.pack("<Q", len(text) if size is None else size) + text + data
    return written("a.safetensors", content, read_weights)


def tensor(shape: list[int], *offsets: int) -> dict[str, object]:
    return {"w": {"dtype": "F32", "shape": shape, "data_offsets": offsets}}


def long_record() -> bytes:
    length = struct.pack("<Q", 1 << 60)
    return length + struct.pack("<I", masked_crc(length)) + bytes(100)


def packed_record() -> bytes:
    """A record that claims 2 GB, in a shard that zlib packed."""
    length = struct.pack("<Q", (1 << 31) - 100)
    pack = zlib.compressobj(1)
    parts = [pack.compress(length + struct.pack("<I", masked_crc(length)))]
    parts += [pack.compress(bytes(1 << 20)) for _ in range(4)]
    return b"".join([*parts, pack.flush()])


def on_disk_lists(folder: Path) -> Reading:
    """An index whose lists lie in another file: FAISS would open the canary for writing."""
    module = faiss()
    found = module.index_factory(4, "IVF2,Flat", module.METRIC_INNER_PRODUCT)
    many = np.random.default_rng(0).normal(size=(100, 4)).astype(np.float32)
    found.train(many)
    found.add(many)
    lists = module.OnDiskInvertedLists(2, found.code_size, str(folder / "lists"))
    lists.merge_from(module.downcast_InvertedLists(found.invlists), 0)
    found.replace_invlists(lists)
    module.write_index(found, str(folder / "a.faiss"))
    data = (folder / "a.faiss").read_bytes()
    name, other = str(folder / "lists").encode(), str(folder.parent / CANARY).encode()
    sized = struct.pack("<Q", len(name)) + name
    assert sized in data
    (folder / "a.faiss").write_bytes(data.replace(sized, struct.pack("<Q", len(other)) + other))
    return lambda: read_faiss(folder / "a.faiss")


def faiss_claim(folder: Path) -> Reading:
    module = faiss()
    found = module.IndexFlatIP(4)
    found.add(np.ones((2, 4), dtype=np.float32))
    data = bytearray(module.serialize_index(found).tobytes())
    at = len(data) - 32 - 8
    assert struct.unpack_from("<Q", data, at)[0] in (8, 32)
    struct.pack_into("<Q", data, at, 1 << 34)
    (folder / "a.faiss").write_bytes(data)
    return lambda: read_faiss(folder / "a.faiss")


def faiss_type(folder: Path) -> Reading:
    module = faiss()
    module.write_index(module.IndexHNSWFlat(4, 8), str(folder / "a.faiss"))
    return lambda: read_faiss(folder / "a.faiss")


def message(number: int, content: bytes) -> bytes:
    return bytes([number << 3 | 2, len(content)]) + content


def onnx() -> bytes:
    location = message(1, b"location") + message(2, f"../{CANARY}".encode())
    return message(7, message(5, bytes([13 << 3 | 2, len(location)]) + location))


def playing(folder: Path) -> object:
    with opened(folder) as container:
        return list(container.decode(video=0))


PLAYLIST = f"#EXTM3U\n#EXT-X-TARGETDURATION:1\n#EXTINF:1,\n../{CANARY}\n#EXT-X-ENDLIST\n".encode()


def manifest(stored: str) -> Maker:
    """A folder whose manifest is right about itself and names a file elsewhere."""

    def make(folder: Path) -> Reading:
        from compress.artifacts.manifest import Manifest, StoredFile, render_manifest

        files = {"w": StoredFile(stored, len(SECRET), "0" * 64)}
        content = render_manifest(Manifest(folder, "model", {}, files, 1, {}))
        (folder / "manifest.json").write_bytes(content)
        return lambda: read_folder(folder, "model")

    return make


CORPUS: dict[str, Maker] = {
    **{
        f"hdf5 {fill.__name__}": hdf5(fill)
        for fill in (elsewhere, linked, virtual, looped, unknown_filter, claims)
    },
    **{
        f"store {name}": store(change)
        for name, (change, _) in HOSTILE.items()
        if name
        in (
            "external storage",
            "external link",
            "soft link loop",
            "virtual dataset",
            "10 TiB claim",
            "unknown filter",
        )
    },
    "npz bomb": written("a.npz", npz_bomb(), videos),
    "npz of zeros": npz_of_zeros,
    "npy claim": written("a.npy", npy_claim(), videos),
    "npy objects": objects("a.npy", np.save),
    "npz objects": objects("a.npz", np.savez, features=None),
    **{
        f"pickle{suffix}": pickled(f"a{suffix}", videos)
        for suffix in (".npy", ".npz", ".pt", ".pth", ".h5", ".parquet", ".arrow", ".tfrecord")
    },
    "pickle.safetensors": pickled("a.safetensors", read_weights),
    "pickle.faiss": pickled("a.faiss", read_faiss),
    "pickle weights": pickled("a.pth", read_weights),
    "torch bomb": torch_bomb,
    "packed tensors": packed_tensors,
    "endless tensor": endless_tensor,
    "safetensors long header": safetensors({}, 1 << 40),
    "safetensors claim": safetensors(tensor([1 << 40], 0, 1 << 42)),
    "safetensors overlap": safetensors(
        {**tensor([2], 0, 8), "v": {"dtype": "F32", "shape": [2], "data_offsets": [0, 8]}}
    ),
    "safetensors hole": safetensors(tensor([1], 4, 8)),
    "safetensors deep": safetensors(b'{"w":' + b"[" * 100_000),
    "record claim": written("a.tfrecord", long_record(), videos),
    "packed record": written("a.tfrecord", packed_record(), videos),
    "nothing but bytes": written("a.tfrecord", frame(b"\xff" * 100), videos),
    "faiss on disk": on_disk_lists,
    "faiss claim": faiss_claim,
    "faiss type": faiss_type,
    "onnx data elsewhere": written(
        "a.onnx", onnx(), lambda path: check_self_contained(path.read_bytes(), path)
    ),
    "playlist": written("a.mp4", PLAYLIST, playing),
    "list of films": written("a.mp4", f"ffconcat version 1.0\nfile ../{CANARY}\n".encode(), playing),
    "manifest above": manifest(f"../{CANARY}"),
    "manifest absolute": manifest("/etc/hostname"),
    "deep toml": written("compress.toml", b"a = " + b"[" * 100_000, workspace),
    "long number": written("compress.toml", b"num_classes = " + b"9" * 5000, workspace),
}
assert HEADER_BYTES == 12
