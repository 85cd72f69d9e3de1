"""The package `tfrecord` of PyPI, as its README says it is used."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path
from typing import Any

import numpy as np

from compress.datasets import FeatureSchema
from compress.errors import UnavailableError


def read_videos(shard: Path, schema: FeatureSchema) -> Iterator[dict[str, Any]]:
    """Each record as a dict of arrays: the features float32, `labels` int64, the id bytes.

    Raises:
        UnavailableError: the package is not installed.
    """
    try:
        from tfrecord.reader import tfrecord_loader
    except ImportError as error:
        raise UnavailableError("tfrecord is not installed", hint="pip install -e '.[bench]'") from error
    wanted = {schema.id_key: "byte", "labels": "int", **dict.fromkeys(schema.names, "float")}
    yield from tfrecord_loader(str(shard), None, wanted)


def arrays(record: dict[str, Any], schema: FeatureSchema) -> tuple[bytes, np.ndarray, np.ndarray]:
    """Id, labels and features in one row, for comparing."""
    features = np.concatenate([record[name] for name in schema.names])
    return bytes(record[schema.id_key]), np.sort(record["labels"]), features
