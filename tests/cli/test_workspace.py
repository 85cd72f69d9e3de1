"""compress.toml: made by `compress init`, found from inside the workspace, refused when it is wrong."""

from __future__ import annotations

from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from compress.errors import CompressError, ConfigError, NotFoundError, UsageError
from compress.jobs.init import create_workspace
from compress.workspace import Defaults, find_workspace, load_workspace
from tests.datasets.conftest import Build

ONE_SHARD = Build().video(b"v", [1])


def shard(path: Path) -> Path:
    return Build().shard(path, [ONE_SHARD])


def write(folder: Path, text: str) -> Path:
    (folder / "compress.toml").write_text(text)
    return folder


def test_init_writes_what_is_read_back(compress, here: Path):
    for name in ("train0.tfrecord", "validate 1.tfrecord"):
        shard(here / name)
    (here / "vocabulary.csv").write_text("index,name\n0,a\n")
    words = ["--train", "train*.tfrecord", "--validate", "validate*.tfrecord"]
    ended = compress("init", *words, "--vocabulary", "vocabulary.csv", "--num-classes", 20)
    made = load_workspace(here)

    assert ended.code == 0
    assert (made.train, made.validate) == ((f"{here}/train*.tfrecord",), (f"{here}/validate*.tfrecord",))
    assert (made.vocabulary, made.num_classes, made.defaults) == (here / "vocabulary.csv", 20, Defaults())


def test_init_does_not_overwrite(compress, workspace: Path):
    before = (workspace / "compress.toml").read_bytes()
    ended = compress("init", "--train", "train*", "--validate", "validate*")

    assert ended.code == 2
    assert (workspace / "compress.toml").read_bytes() == before


def test_every_default_that_init_lists_may_be_switched_on(compress, here: Path):
    shard(here / "a.tfrecord")
    compress("init", "--train", "a.tfrecord", "--validate", "a.tfrecord")
    text = (here / "compress.toml").read_text()
    head, tail = text.split("[defaults]")
    write(here, head + "[defaults]" + tail.replace("# ", ""))

    assert load_workspace(here).defaults == Defaults()


@given(st.text(min_size=1).filter(lambda text: not set(text) & set("\0/*?[]~") and text.strip(".")))
def test_any_file_name_survives_init(tmp_path_factory, name: str):
    folder = tmp_path_factory.mktemp("w")
    try:
        shard(folder / name)
    except (OSError, UnicodeEncodeError):
        return  # not a file name here
    made = create_workspace(folder, train=[name], validate=[name])

    assert made.train == (str(folder / name),)


def test_it_is_found_from_a_folder_inside(workspace: Path, monkeypatch):
    (workspace / "a" / "b").mkdir(parents=True)
    monkeypatch.chdir(workspace / "a" / "b")

    assert find_workspace().root == workspace


def test_without_one_the_current_folder_is_meant(here: Path):
    found = find_workspace()

    assert (found.root, found.train, found.defaults) == (here, (), Defaults())


def test_a_folder_that_was_named_must_be_one(here: Path):
    with pytest.raises(NotFoundError, match="compress init"):
        find_workspace(here)


@pytest.mark.parametrize(
    ("text", "telling"),
    [
        ("train = ", "TOML"),
        ('trian = "a"', "'trian'.*did you mean 'train'"),
        ("xyzzy = 1", "known keys: train"),
        ("[defaults]\nsed = 1", "did you mean 'seed'"),
        ("train = 3", "train must be"),
        ("train = [1]", "train must be"),
        ('num_classes = "many"', "num_classes must be a whole number"),
        ("num_classes = 0", "at least 1"),
        ("num_classes = true", "num_classes must be a whole number"),
        ("validate_fraction = 1.5", "validate_fraction must be above 0, below 1"),
        ("validate_fraction = true", "validate_fraction must be a number such as 0.1"),
        ('validate = "a"\nvalidate_fraction = 0.5', "validate must not be there"),
        ("vocabulary = 3", "vocabulary must be a string"),
        ("defaults = 3", "defaults must be a table"),
        ('[defaults]\nseed = "0"', "seed must be a whole number"),
        ("[defaults]\nseed = -1", "seed must be at least 0"),
        ("[defaults]\nthreads = 1.5", "threads must be a whole number"),
        ('[defaults]\ndevice = "gpu"', "auto, cpu, cuda"),
        ('[defaults]\ncodec = "int3"', "int3"),
    ],
)
def test_a_wrong_file_is_refused_with_its_name_and_the_reason(here: Path, text: str, telling: str):
    with pytest.raises(ConfigError, match=rf"(?s)compress\.toml.*{telling}"):
        load_workspace(write(here, text))


def test_a_file_that_is_not_text_is_refused(here: Path):
    (here / "compress.toml").write_bytes(b"\xff\xfe")

    with pytest.raises(ConfigError):
        load_workspace(here)


@pytest.mark.parametrize(
    ("train", "vocabulary", "error"),
    [("none*", None, NotFoundError), ("a*", Path("none.csv"), NotFoundError)],
)
def test_init_refuses_what_is_not_there(
    here: Path, train: str, vocabulary: Path | None, error: type[CompressError]
):
    shard(here / "a.tfrecord")

    with pytest.raises(error):
        create_workspace(here, train=[train], validate=["a*"], vocabulary=vocabulary)
    assert not (here / "compress.toml").exists()


def test_paths_of_what_commands_make(workspace: Path):
    found = load_workspace(workspace)

    assert found.run("a") == workspace / "runs" / "a"
    assert found.store("a") == workspace / "embeddings" / "a.h5"
    assert found.index("a") == workspace / "embeddings" / "a.index"


def test_a_second_init_names_the_file(workspace: Path):
    with pytest.raises(UsageError, match=r"compress\.toml"):
        create_workspace(workspace, train=["train*"], validate=["validate*"])
