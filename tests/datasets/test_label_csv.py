"""Tables of labels as people have them: columns, headers, separators, and what is refused."""

from __future__ import annotations

from collections.abc import Callable
from itertools import pairwise
from pathlib import Path

import pytest

from compress.datasets.formats.label_cells import split_cells
from compress.datasets.formats.label_csv import LabelTable, read_label_csv
from compress.datasets.vocabulary import Vocabulary
from compress.errors import NotFoundError, SchemaError

ROWS = [("a1", "0 2"), ("b2", "1"), ("c3", ""), ("d4", "3 1"), ("e5", "2"), ("f6", "0")]
IDS = [name for name, _ in ROWS]
LABELS = [cell.split() for _, cell in ROWS]
BODY = "".join(f"{name},{cell}\n" for name, cell in ROWS)
NAMED = [[f"cls{label}" for label in labels] for labels in LABELS]


def lines(form: Callable[[str, list[str]], str]) -> str:
    return "".join(form(name, cell.split()) + "\n" for name, cell in ROWS)


def names(labels: list[str]) -> list[str]:
    return [f"cls{label}" for label in labels]


ACCEPTED: dict[str, tuple[str, list[list[str]]]] = {
    "plain": ("id,labels\n" + BODY, LABELS),
    "byte order mark, CRLF": ("\ufeffid,labels\r\n" + BODY.replace("\n", "\r\n"), LABELS),
    "blank line at the end": ("id,labels\n" + BODY + "\n", LABELS),
    "blank CRLF line at the end": ("id,labels\r\n" + BODY.replace("\n", "\r\n") + "\r\n", LABELS),
    "commas in quotes": ("id,labels\n" + lines(lambda i, s: f'{i},"{",".join(s)}"'), LABELS),
    "bars": ("id,labels\n" + lines(lambda i, s: f"{i},{'|'.join(s)}"), LABELS),
    "names": ("id,labels\n" + lines(lambda i, s: f"{i},{' '.join('cls' + k for k in s)}"), NAMED),
    "names, bars": ("id,labels\n" + lines(lambda i, s: f"{i},{'|'.join('cls' + k for k in s)}"), NAMED),
    "names, commas": ("id,tags\n" + lines(lambda i, s: f'{i},"{",".join("cls" + k for k in s)}"'), NAMED),
    "names, semicolons": ("id,labels\n" + lines(lambda i, s: f"{i},{' ; '.join(names(s))}"), NAMED),
    "header with spaces": ("id, labels\n" + BODY.replace(",", ", "), LABELS),
    "header in capitals": ("ID,Labels\n" + BODY, LABELS),
    "other header": ("video_id,label\n" + BODY, LABELS),
    "extra column": ("id,labels,split\n" + BODY.replace("\n", ",train\n"), LABELS),
    "semicolons": ("id;labels\n" + BODY.replace(",", ";"), LABELS),
    "tabs": ("id\tlabels\n" + BODY.replace(",", "\t"), LABELS),
    "no header": (BODY, LABELS),
    "floats of pandas": ("id,labels\n" + lines(lambda i, s: f"{i},{' '.join(k + '.0' for k in s)}"), LABELS),
    "missing of pandas": ("id,labels\n" + lines(lambda i, s: f"{i},{' '.join(s) or 'nan'}"), LABELS),
    "lists of pandas": ("id,labels\n" + lines(lambda i, s: f'{i},"[{", ".join(s)}]"'), LABELS),
    "lists of names": ("id,labels\n" + lines(lambda i, s: f'{i},"{["cls" + k for k in s]}"'), NAMED),
    "numpy texts": ("id,labels\n" + lines(lambda i, s: f'{i},"[{" ".join(map(repr, names(s)))}]"'), NAMED),
    "one-hot": (
        "id,cls0,cls1,cls2,cls3\n" + lines(lambda i, s: f"{i},{','.join(str(int(k in s)) for k in '0123')}"),
        NAMED,
    ),
    "one-hot, other columns": (
        "id,split,cls0,cls1,cls2,cls3\n"
        + lines(lambda i, s: f"{i},train,{','.join(str(k in s) for k in '0123')}"),
        NAMED,
    ),
    "index of pandas": (",id,labels\n" + lines(lambda i, s: f"{IDS.index(i)},{i},{' '.join(s)}"), LABELS),
    "labels first": ("labels,id\n" + lines(lambda i, s: f"{' '.join(s)},{i}"), LABELS),
    "comment": ("# my labels\nid,labels\n" + BODY, LABELS),
    "header in a comment": ("# 2017\n# YTID, start, positive_labels\n" + BODY.replace(",", ",0,"), LABELS),
}  # fmt: skip


def table(path: Path, text: str | bytes, **options: object) -> LabelTable:
    path.write_bytes(text if isinstance(text, bytes) else text.encode())
    return read_label_csv(path, **options)  # type: ignore[arg-type]


def labels_of(found: LabelTable) -> list[list[str]]:
    its = found.labels
    ends = its.indptr.tolist()
    return [[its.texts[code] for code in its.codes[low:high]] for low, high in pairwise(ends)]


@pytest.mark.parametrize("kind", ACCEPTED)
def test_every_kind_of_table_gives_the_same_labels(tmp_path: Path, kind: str) -> None:
    text, wanted = ACCEPTED[kind]
    found = table(tmp_path / "labels.csv", text)
    as_numbers = [sorted(label.removesuffix(".0") for label in labels) for labels in labels_of(found)]
    assert found.ids == [name.encode() for name in IDS]
    assert as_numbers == [sorted(labels) for labels in wanted]


def test_utf_16_is_read_by_its_mark_and_ids_may_hold_commas_and_lines(tmp_path: Path) -> None:
    text = 'id,labels\n"a,1",0\n"b\n2",1\n'
    found = table(tmp_path / "labels.csv", text.encode("utf-16"))
    assert (found.ids, found.lines) == ([b"a,1", b"b\n2"], [2, 4])


def test_columns_that_are_not_read_are_named(tmp_path: Path) -> None:
    assert table(tmp_path / "l.csv", ",id,labels,split\n0,a,1,train\n").left == ("unnamed column 1", "split")


def test_columns_and_separator_are_chosen(tmp_path: Path) -> None:
    text = "clip,what,id\nx,red car+dog,7\n"
    found = table(tmp_path / "l.csv", text, id_column="clip", label_columns=["what"], separator="+")
    assert (found.ids, found.labels.texts, found.left) == ([b"x"], ["red car", "dog"], ("id",))
    assert table(tmp_path / "l.csv", text, id_column="vid", label_columns=["what"], separator="+").ids == [
        b"7"
    ]
    only = table(tmp_path / "l.csv", "id,c0,c1,is_train\na,1,0,1\n", label_columns=["c0", "c1"])
    assert (only.labels.texts, only.left) == (["c0", "c1"], ("is_train",))


def test_labels_without_ids_are_lines(tmp_path: Path) -> None:
    found = table(tmp_path / "l.csv", "label\n3\n1\n")
    assert (found.ids, labels_of(found)) == (None, [["3"], ["1"]])


@pytest.mark.parametrize(
    ("names", "cells", "texts"),
    [
        (["Boat, Water vehicle", "Dog"], ["Boat, Water vehicle", "Dog"], ["Boat, Water vehicle", "Dog"]),
        (["playing guitar", "guitar"], ["playing guitar"], ["playing guitar"]),
        (["playing", "guitar"], ["playing guitar"], ["playing", "guitar"]),
        (["Boat, Water vehicle", "Dog"], ["Boat, Water vehicle|Dog"], ["Boat, Water vehicle", "Dog"]),
    ],
)
def test_a_vocabulary_decides_what_is_one_label(names: list[str], cells: list[str], texts: list[str]) -> None:
    assert split_cells(cells, vocabulary=Vocabulary.of(names)).texts == texts


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ("", "is empty"),
        ("\n\n", "is empty"),
        ("clip,what\nx,dog\n", "columns are clip,what; no name is one .* for ids and labels; begin"),
        ("id,what,who\nx,dog,me\n", "no name is one that is known for labels"),
        ("clip,labels\nx,1\n", "no name is one that is known for ids"),
        ("id,labels\nx,1,2\n", r"line 2: 3 columns instead of 2; put quotes"),
        ('id,labels\nx,"1\n', r"line 2: is not a UTF-8 CSV file"),
        ("id,labels\nx\xe9,1\n".encode("latin-1"), "not a UTF-8 CSV file .* at byte 11.; save it as UTF-8"),
        ("id,labels\nx,playing guitar\n", "guitar' is one label or several; say --label-separator ' '"),
        ('id,labels\nx,"Boat, Water vehicle"\n', "is one label or several; say --label-separator ','"),
        ("id,c0,c1\nx,0.4,0.6\n", "no name is one that is known for labels"),
    ],
)  # fmt: skip
def test_what_cannot_be_understood_is_refused(tmp_path: Path, text: str | bytes, message: str) -> None:
    with pytest.raises(SchemaError, match=message) as caught:
        table(tmp_path / "labels.csv", text)
    assert "labels.csv" in str(caught.value)


@pytest.mark.parametrize(
    ("options", "message"),
    [
        ({"label_columns": ["tags"]}, r"has no column 'tags' \(columns: id, c0, c1\)"),
        ({"label_columns": ["c0", "c1"]}, "line 2: column 'c1' holds 'x'; 0 or 1 expected"),
    ],
)
def test_a_column_that_is_not_what_was_said_is_refused(tmp_path: Path, options: dict, message: str) -> None:
    with pytest.raises(SchemaError, match=message):
        table(tmp_path / "labels.csv", "id,c0,c1\na,1,x\n", **options)


def test_a_separator_that_is_said_is_taken_and_none_keeps_cells_whole() -> None:
    assert split_cells(["playing guitar"], " ").texts == ["playing", "guitar"]
    assert split_cells(["playing guitar"], "none").texts == ["playing guitar"]
    assert split_cells(["1 2"], "none").texts == ["1 2"]


def test_a_missing_file_is_named(tmp_path: Path) -> None:
    with pytest.raises(NotFoundError, match=r"none\.csv: no such file of labels"):
        read_label_csv(tmp_path / "none.csv")
