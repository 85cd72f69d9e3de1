"""Arrays as people have them: packs, or a group, an array, a file for each video; HDF5, .npy, .npz, .pt."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from pathlib import Path
from typing import Any

import h5py
import numpy as np
import pytest
import torch

from compress.datasets.record import FrameRecord, Record
from compress.datasets.source import Source, open_source
from compress.description import Description
from compress.errors import CompressError, DataError, SchemaError
from tests.datasets.messages import records, told

DIM = 6
LENGTHS = (3, 5, 4, 9)
VIDEOS = {
    f"vid{number}": np.random.default_rng(number).standard_normal((length, DIM)).astype("<f4")
    for number, length in enumerate(LENGTHS)
}
VECTORS = {name: frames[0] for name, frames in VIDEOS.items()}
NAMES = [*VIDEOS]


def opened(*patterns: Path | str, **options: Any) -> Source:
    said = {key: options.pop(key) for key in ("features", "id", "labels", "level") if key in options}
    return open_source([str(pattern) for pattern in patterns], description=Description(**said), **options)


def values(record: Record) -> np.ndarray:
    return record.frames if isinstance(record, FrameRecord) else record.features


def same(source: Source, wanted: Mapping[str, np.ndarray]) -> None:
    found = records(source)
    assert [record.video_id.decode() for record in found] == [*wanted]
    for record, array in zip(found, wanted.values(), strict=True):
        np.testing.assert_array_equal(values(record), array)


def hdf5(path: Path, arrays: Mapping[str, Any]) -> Path:
    with h5py.File(path, "w") as file:
        for name, array in arrays.items():
            file[name] = array
    return path


def test_a_pack_of_audioset_is_frames_with_ids_and_labels(tmp_path: Path) -> None:
    random = np.random.default_rng(0)
    codes, classes = random.integers(0, 256, (9, 10, 128), dtype=np.uint8), random.random((9, 527)) < 0.01
    ids = np.array([f"Y{number:010d}" for number in range(9)], "S11")
    source = opened(hdf5(tmp_path / "bal.h5", {"x": codes, "y": classes, "video_id_list": ids}))
    assert (source.schema.level, source.schema.dim, source.schema.num_classes) == ("frame", 128, 527)
    assert not source.schema.float_frames, "they are 8-bit codes as those of YouTube-8M"
    same(source, dict(zip(ids.astype(str).tolist(), codes, strict=True)))
    assert [row.labels.tolist() for row in records(source)] == [
        np.flatnonzero(row).tolist() for row in classes
    ]
    assert told(source) == []


def test_a_pack_of_panns_names_its_clips_by_files_and_sound_is_no_feature(tmp_path: Path) -> None:
    names = np.array([b"Ya.wav", b"Yb.wav"])
    target = np.array([[True, False, False], [False, True, True]])
    pack = {"audio_name": names, "target": target, "waveform": np.zeros((2, 320), np.int16)}
    with pytest.raises(SchemaError, match=r"no features: floats.*waveform \(int16 \(N, 320\)\)"):
        opened(hdf5(tmp_path / "sound.h5", pack))
    found = opened(hdf5(tmp_path / "embedded.h5", {**pack, "embedding": np.eye(2, DIM, dtype="<f2")}))
    assert [(row.video_id, row.labels.tolist()) for row in records(found)] == [
        (b"Ya.wav", [0]),
        (b"Yb.wav", [1, 2]),
    ]
    assert told(found) == [
        "not used: waveform (int16 (N, 320)); --features, --id and --labels choose what is used"
    ]


@pytest.mark.parametrize("dtype", ["<f2", "<f4", "<f8"])
def test_frames_of_every_width_become_float32_and_may_be_cut(dtype: str, tmp_path: Path) -> None:
    frames = np.random.default_rng(0).standard_normal((3, 5, DIM)).astype(dtype)
    path = hdf5(tmp_path / "a.h5", {"features": frames, "ids": ["a", "b", "c"], "labels": [2, 0, 1]})
    source = opened(path, max_frames=4)
    assert source.schema.float_frames
    assert (source.schema.names, source.schema.num_classes) == (("frames",), 3)
    same(source, dict(zip("abc", frames[:, :4].astype(np.float32), strict=True)))


LABELS: list[tuple[str, Any, list[list[int]]]] = [
    ("multi-hot booleans", np.array([[1, 0, 1], [0, 0, 0]], bool), [[0, 2], []]),
    ("multi-hot bytes", np.array([[1, 0, 1], [0, 0, 0]], np.uint8), [[0, 2], []]),
    ("one-hot floats", np.array([[0, 0, 1], [0, 1, 0]], "<f4"), [[2], [1]]),
    ("one number", np.array([2, 1]), [[2], [1]]),
    ("one float, missing", np.array([2, np.nan]), [[2], []]),
    ("lists of numbers", np.array([[2, 1], [1, 0]]), [[1, 2], [0, 1]]),
    ("class names", np.array([b"dog", b"cat"]), [[1], [0]]),
    ("several class names", np.array([b"dog|cat", b"cat"]), [[0, 1], [0]]),
]


@pytest.mark.parametrize(
    ("labels", "wanted"), [case[1:] for case in LABELS], ids=[case[0] for case in LABELS]
)
def test_labels_are_numbers_names_or_a_mask(labels: Any, wanted: list[list[int]], tmp_path: Path) -> None:
    path = hdf5(tmp_path / "a.h5", {"x": np.eye(2, DIM), "label": labels})
    assert [row.labels.tolist() for row in records(opened(path))] == wanted


def test_scores_are_no_labels(tmp_path: Path) -> None:
    path = hdf5(tmp_path / "a.h5", {"x": np.eye(2, DIM), "y": np.array([[0.3, 0.7], [1, 0]])})
    with pytest.raises(SchemaError, match="scores; write 1 for each class"):
        opened(path)


def group_each(folder: Path) -> Path:
    return hdf5(folder / "c3d.hdf5", {f"{name}/c3d_features": frames for name, frames in VIDEOS.items()})


def dataset_each(folder: Path) -> Path:
    return hdf5(folder / "resnet.hdf5", VIDEOS)


def array_each_of_npz(folder: Path) -> Path:
    np.savez_compressed(folder / "all.npz", **VIDEOS)
    return folder / "all.npz"


def tensor_each(folder: Path) -> Path:
    torch.save({name: torch.tensor(frames) for name, frames in VIDEOS.items()}, folder / "all.pt")
    return folder / "all.pt"


def npy_each(folder: Path) -> Path:
    for name, frames in VIDEOS.items():
        np.save(folder / f"{name}.npy", frames)
    return folder


def npz_each(folder: Path) -> Path:
    for name, frames in VIDEOS.items():
        np.savez(folder / f"{name}.npz", np.asfortranarray(frames))
    return folder


def pt_each(folder: Path) -> Path:
    for name, frames in VIDEOS.items():
        torch.save(torch.tensor(frames), folder / f"{name}.pt")
    return folder


def hdf5_each(folder: Path) -> Path:
    for name, frames in VIDEOS.items():
        hdf5(folder / f"{name}.h5", {"features": frames})
    return folder


EACH = [group_each, dataset_each, array_each_of_npz, tensor_each, npy_each, npz_each, pt_each, hdf5_each]


@pytest.mark.parametrize("write", EACH)
def test_a_file_an_array_or_a_group_is_a_video_where_the_lengths_say_so(
    write: Callable[[Path], Path], tmp_path: Path
) -> None:
    source = opened(write(tmp_path), num_classes=3)
    assert (source.schema.level, source.schema.dim) == ("frame", DIM)
    same(source, VIDEOS)
    assert any("is one video" in sentence for sentence in told(source)), "it is said, not only done"


def test_the_note_about_files_that_are_videos_says_how_to_read_their_rows_instead(tmp_path: Path) -> None:
    npy_each(tmp_path)
    first = "each file is one video, its rows are frames; say --level video if each row is a video"
    assert told(opened(tmp_path, num_classes=3)) == [
        first,
        "the files hold no ids: made of the name of the file, as in vid0",
    ]
    rows = opened(tmp_path, num_classes=3, level="video")
    assert (rows.schema.level, len(records(rows))) == ("video", sum(LENGTHS))


def test_vectors_in_files_of_their_own_are_videos(tmp_path: Path) -> None:
    for name, vector in VECTORS.items():
        np.save(tmp_path / f"{name}.npy", vector)
    same(opened(tmp_path, num_classes=3), VECTORS)


def test_one_vector_alone_is_one_video_and_one_matrix_many(tmp_path: Path) -> None:
    np.save(tmp_path / "one.npy", np.ones(DIM))
    np.save(tmp_path / "many.npy", np.ones((4, DIM)))
    assert len(records(opened(tmp_path / "one.npy", num_classes=3))) == 1
    assert len(records(opened(tmp_path / "many.npy", num_classes=3))) == 4
    frames = records(opened(tmp_path / "many.npy", num_classes=3, level="frame"))
    assert [values(video).shape for video in frames] == [(4, DIM)]


@pytest.mark.parametrize("count", [2, 5])
def test_files_that_may_be_videos_or_rows_are_asked_for_and_the_hint_works(
    count: int, tmp_path: Path
) -> None:
    for number in range(count):
        np.save(tmp_path / f"{number}.npy", np.full((7, DIM), number, "<f4"))
    with pytest.raises(
        SchemaError, match="say --level frame if a file is a video, --level video if a row is"
    ):
        opened(tmp_path, num_classes=3)
    assert len(records(opened(tmp_path, num_classes=3, level="frame"))) == count
    assert len(records(opened(tmp_path, num_classes=3, level="video"))) == 7 * count


def test_arrays_that_may_be_videos_or_rows_are_asked_for_and_the_hints_work(tmp_path: Path) -> None:
    path = hdf5(tmp_path / "a.h5", {"a": np.zeros((4, DIM), "<f4"), "b": np.ones((4, DIM), "<f4")})
    with pytest.raises(SchemaError, match="--level frame if each is one video, or --features a if its rows"):
        opened(path, num_classes=3)
    assert len(records(opened(path, num_classes=3, level="frame"))) == 2
    assert len(records(opened(path, num_classes=3, features=("a",)))) == 4


def test_what_a_run_reads_decides_without_a_question(tmp_path: Path) -> None:
    frames = opened(npy_each(tmp_path), num_classes=3).schema
    (tmp_path / "one").mkdir()
    np.save(tmp_path / "one/new.npy", VIDEOS["vid0"])
    same(opened(tmp_path / "one", run=frames), {"new": VIDEOS["vid0"]})


def test_ids_that_were_made_up_carry_the_folder_so_that_splits_do_not_share_them(tmp_path: Path) -> None:
    for split in ("train", "validate"):
        (tmp_path / split).mkdir()
        hdf5(tmp_path / split / "features.h5", {"features": np.ones((2, DIM))})
        np.save(tmp_path / split / "0.npy", np.ones(DIM))
    pack, counted = (
        {
            row.video_id
            for split in ("train", "validate")
            for row in records(opened(tmp_path / split / name, num_classes=2))
        }
        for name in ("features.h5", "0.npy")
    )
    assert pack == {b"train/features-0", b"train/features-1", b"validate/features-0", b"validate/features-1"}
    assert counted == {b"train/0", b"validate/0"}
    source = opened(tmp_path / "train/features.h5", num_classes=2)
    assert told(source) == [
        "the files hold no ids: made of the folder, name of the file and row, as in train/features-0"
    ]


def test_files_of_one_name_in_several_folders_carry_the_folder(tmp_path: Path) -> None:
    for folder in ("cat", "dog"):
        (tmp_path / folder).mkdir()
        for name in ("a", "b"):
            np.save(tmp_path / folder / f"{name}.npy", np.ones(DIM))
    ids = [row.video_id.decode() for row in records(opened(tmp_path / "**/*.npy", num_classes=2))]
    assert ids == ["cat/a", "cat/b", "dog/a", "dog/b"]


def test_a_file_of_one_video_may_hold_its_label_and_more(tmp_path: Path) -> None:
    for number, (name, frames) in enumerate(VIDEOS.items()):
        np.savez(
            tmp_path / f"{name}.npz", rgb=frames, fps=25.0, label=number, times=np.arange(len(frames) + 0.0)
        )
    source = opened(tmp_path)
    assert (source.schema.names, source.schema.num_classes) == (("rgb",), len(VIDEOS))
    assert [row.labels.tolist() for row in records(source)] == [[number] for number in range(len(VIDEOS))]
    (left,) = [sentence for sentence in told(source) if sentence.startswith("not used")]
    assert "fps (float64), times (float64 (T))" in left, "named once, not for each file"


def test_features_of_several_names_are_joined_as_asked(tmp_path: Path) -> None:
    two = {name: {"rgb": frames, "flow": frames[:, :2]} for name, frames in VIDEOS.items()}
    path = hdf5(
        tmp_path / "two.h5", {f"{v}/{key}": array for v, found in two.items() for key, array in found.items()}
    )
    with pytest.raises(SchemaError, match=r"several things could be the features: flow \(2\), rgb \(6\)"):
        opened(path, num_classes=2)
    source = opened(path, num_classes=2, features=("rgb", "flow"))
    assert (source.schema.names, source.schema.dims) == (("rgb", "flow"), (DIM, 2))
    same(source, {name: np.hstack([found["rgb"], found["flow"]]) for name, found in two.items()})


def test_columns_of_npz_and_pt_are_features_ids_and_labels(tmp_path: Path) -> None:
    matrix = np.stack([*VECTORS.values()])
    labels = [3, 1, 0, 2]
    np.savez(tmp_path / "a.npz", embeddings=matrix, ids=np.array(NAMES), labels=np.array(labels))
    torch.save({"x": torch.tensor(matrix), "ids": NAMES, "target": torch.tensor(labels)}, tmp_path / "a.pt")
    for path in (tmp_path / "a.npz", tmp_path / "a.pt"):
        source = opened(path)
        same(source, VECTORS)
        assert [row.labels.tolist() for row in records(source)] == [[label] for label in labels]


def test_old_files_of_torch_and_bfloat16_are_read(tmp_path: Path) -> None:
    tensor = torch.arange(12.0).reshape(2, DIM)
    torch.save(tensor, tmp_path / "old.pt", _use_new_zipfile_serialization=False)
    torch.save(tensor.bfloat16(), tmp_path / "half.pt")
    for name in ("old", "half"):
        found = records(opened(tmp_path / f"{name}.pt", num_classes=2))
        np.testing.assert_array_equal([values(row) for row in found], tensor.numpy())


def objects_in_npz(folder: Path) -> Path:
    np.savez(folder / "a.npz", features=np.array([{"a": 1}], dtype=object))
    return folder / "a.npz"


class Payload:
    """Unpickling it would run a program; the test would see the file that it writes."""

    def __reduce__(self) -> tuple[Any, ...]:
        return (open, ("ran", "w"))


def program_in_pt(folder: Path) -> Path:
    torch.save({"features": torch.ones(3, DIM), "other": Payload()}, folder / "a.pt")
    return folder / "a.pt"


def list_in_pt(folder: Path) -> Path:
    torch.save([torch.ones(3, DIM)], folder / "a.pt")
    return folder / "a.pt"


def damaged(name: str) -> Callable[[Path], Path]:
    def write(folder: Path) -> Path:
        (folder / name).write_bytes(b"PK\x03\x04 nothing of the kind")
        return folder / name

    return write


def ids_within_groups(folder: Path) -> Path:
    splits = {f"{split}/{key}": array for split in ("train", "test") for key, array in PACK.items()}
    return hdf5(folder / "a.h5", splits)


PACK = {"feat": np.ones((3, DIM)), "ids": np.array([b"a", b"b", b"c"])}

REFUSED: list[tuple[str, Callable[[Path], Path], type[CompressError], str]] = [
    ("objects", objects_in_npz, SchemaError, r"'features' holds object \(N\)"),
    ("program", program_in_pt, DataError, "other Python objects than tensors; only tensors, and dicts"),
    ("list", list_in_pt, DataError, "holds a list; a tensor, or a dict of tensors by name"),
    ("damaged npz", damaged("a.npz"), DataError, "damaged or not a .npz file"),
    ("damaged pt", damaged("a.pt"), DataError, "damaged or not a file of PyTorch"),
    ("groups of many", ids_within_groups, SchemaError, "'test' holds ids of many videos"),
    ("no arrays", lambda folder: hdf5(folder / "a.h5", {}), DataError, "holds no datasets"),
    ("half of labels", lambda f: hdf5(f / "a.h5", {"x": np.ones((2, 2)), "labels/indptr": [0, 1, 2]}),
     SchemaError, "only one of labels/indptr and labels/indices"),
    ("rows", lambda f: hdf5(f / "a.h5", {"x": np.ones((2, 2)), "ids": ["a"]}), SchemaError,
     "'ids' is of 1 videos, 'x' of 2"),
    ("two labels", lambda f: hdf5(f / "a.h5", {"x": np.ones((2, 2)), "y": [1, 2], "target": [1, 2]}),
     SchemaError, "say which: --labels target"),
]  # fmt: skip


@pytest.mark.parametrize(("write", "error", "words"), [c[1:] for c in REFUSED], ids=[c[0] for c in REFUSED])
def test_a_file_that_cannot_be_read_is_refused_with_a_reason(
    write: Callable[[Path], Path],
    error: type[CompressError],
    words: str,
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.chdir(tmp_path)
    with pytest.raises(error, match=words):
        opened(write(tmp_path), num_classes=3)
    assert not (tmp_path / "ran").exists()


def test_a_video_of_another_size_is_named_or_left_out(tmp_path: Path) -> None:
    path = hdf5(
        tmp_path / "a.h5", {f"{n}/feat": v for n, v in {**VIDEOS, "wide": np.ones((2, DIM + 1))}.items()}
    )
    with pytest.raises(CompressError, match=r"id wide: frames are float32 \(2, 7\)"):
        records(opened(path, num_classes=2))
    tolerant = opened(path, num_classes=2, on_corrupt="skip")
    same(tolerant, VIDEOS)
    assert len(tolerant.skipped) == 1


def test_frames_that_are_not_finite_are_named(tmp_path: Path) -> None:
    path = hdf5(tmp_path / "a.h5", {**VIDEOS, "vid9": np.full((2, DIM), np.nan, "<f4")})
    with pytest.raises(CompressError, match="id vid9: frame 0 is nan"):
        records(opened(path, num_classes=2))


def test_labels_of_a_file_beside_are_found_by_the_names_of_videos_or_in_the_order_of_rows(
    tmp_path: Path,
) -> None:
    torch.save({name: torch.tensor(frames) for name, frames in VIDEOS.items()}, tmp_path / "all.pt")
    torch.save(torch.tensor(np.stack([*VECTORS.values()])), tmp_path / "rows.pt")
    labels = tmp_path / "labels.csv"
    labels.write_text("id,labels\nvid3,cat\nvid1,dog\nother,cow\nvid0,cat|dog\n")
    named = opened(tmp_path / "all.pt", labels=str(labels))
    assert named.schema.class_names == ("cat", "cow", "dog")
    assert [row.labels.tolist() for row in records(named)] == [[0, 2], [2], [], [0]]
    in_order = records(opened(tmp_path / "rows.pt", labels=str(labels)))
    assert [(row.video_id, row.labels.tolist()) for row in in_order][:2] == [(b"vid3", [0]), (b"vid1", [2])]


def test_labels_of_a_file_replace_those_within(tmp_path: Path) -> None:
    (tmp_path / "labels.csv").write_text("id,labels\na,3\nb,1\n")
    scores = {"x": np.eye(2, DIM), "ids": ["a", "b"], "y": np.full((2, 3), 0.5)}
    source = opened(hdf5(tmp_path / "a.h5", scores), labels=str(tmp_path / "labels.csv"))
    assert [row.labels.tolist() for row in records(source)] == [[3], [1]]
    assert any("y (float64 (N, 3))" in sentence for sentence in told(source)), "the labels within are named"


def test_one_file_of_a_run_of_frames_finds_its_labels_by_its_name(tmp_path: Path) -> None:
    frames = opened(npy_each(tmp_path), num_classes=3).schema
    labels = tmp_path / "labels.csv"
    labels.write_text("id,labels\nother,0\nvid1,2\n")
    (video,) = records(opened(tmp_path / "vid1.npy", run=frames, labels=str(labels)))
    assert (video.video_id, video.labels.tolist(), values(video).shape) == (b"vid1", [2], (LENGTHS[1], DIM))


def test_a_made_up_id_does_not_depend_on_how_the_path_is_written(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    (tmp_path / "train/ws").mkdir(parents=True)
    np.save(tmp_path / "train/a.npy", np.ones((2, DIM)))
    monkeypatch.chdir(tmp_path / "train/ws")
    for pattern in ("../a.npy", "../ws/../*.npy", tmp_path / "train/a.npy"):
        assert records(opened(pattern, num_classes=2))[0].video_id == b"train/a-0"


@pytest.mark.parametrize("place", ["{}/feat", "videos/{}/rgb/feat", "videos/{}/feat", "{}/rgb/feat"])
def test_the_id_of_a_group_is_what_the_others_do_not_share(place: str, tmp_path: Path) -> None:
    path = hdf5(tmp_path / "a.h5", {place.format(name): frames for name, frames in VIDEOS.items()})
    same(opened(path, num_classes=2), VIDEOS)


def test_a_group_may_hold_its_id(tmp_path: Path) -> None:
    both = {f"video_{at}/features": frames for at, frames in enumerate(VIDEOS.values())}
    named = {f"video_{at}/video_name": name for at, name in enumerate(VIDEOS)}
    source = opened(hdf5(tmp_path / "tvsum.h5", both | named), num_classes=2)
    same(source, VIDEOS)
    assert told(source) == ["each group is one video"]
