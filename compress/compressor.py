"""`Compressor`: encoder and codec as one scikit-learn estimator."""

from __future__ import annotations

import warnings
from typing import Any

import numpy as np
from sklearn.base import BaseEstimator, ClassNamePrefixFeaturesOutMixin, TransformerMixin
from sklearn.utils import Tags
from sklearn.utils.multiclass import check_classification_targets
from sklearn.utils.validation import check_is_fitted, column_or_1d, validate_data

from compress.arrays import as_features, as_labels, plain_array, whole_number
from compress.codecs import Codec
from compress.encoder import Encoder
from compress.errors import DataError, SchemaError, UsageError
from compress.labels import Labels

OUTPUTS = ("codes", "embedding")


class Compressor(ClassNamePrefixFeaturesOutMixin, TransformerMixin, BaseEstimator):  # type: ignore[misc]
    """Feature vectors -> few bytes per row, and back to embeddings.

    With labels it trains a linear bottleneck for them, the encoder that keeps GAP (global average precision)
    at the fewest bytes (docs/results); without labels it takes PCA, and says so with a warning.

    Args:
        dim: embedding size; features of fewer dimensions keep theirs.
        codec: how an embedding is stored: "float32", "float16", "int8", "int4", "binary", "pqM", "opqM",
            "rqM" (M bytes per row) or "rabitqB" (B bits per dimension). Product codes need some hundred rows.
        encoder: "auto" (linear with labels, PCA without), or any video-level encoder of `compress train`.
        output: what `transform` gives: "codes", what is stored; or "embedding", float32 (n, dim) as it is
            read back from the codes. In a Pipeline, classifiers want "embedding": codes are no coordinates.
        epochs: passes over the data; None for the recipe's (see `Encoder.fit`).
        random_state: seed of weights and order, or a `numpy.random.RandomState` to draw one from; None is 0.
        device: "cpu", "cuda" or "auto".

    Attributes:
        encoder_: the `Encoder` that was fitted.
        codec_: the `Codec` that was fitted on its embeddings.
        bytes_per_row_: bytes of one row of codes.
        classes_: names of the classes, where y held names; otherwise class numbers (C,). None without labels.

    Example:
        >>> X = np.random.default_rng(0).normal(size=(300, 24))
        >>> small = Compressor(dim=8, codec="int8", encoder="pca").fit(X)
        >>> codes = small.transform(X)
        >>> codes.shape, codes.dtype, small.inverse_transform(codes).shape
        ((300, 8), dtype('int8'), (300, 8))
    """

    def __init__(
        self,
        dim: int = 320,
        codec: str = "int8",
        *,
        encoder: str = "auto",
        output: str = "codes",
        epochs: int | None = None,
        random_state: int | np.random.RandomState | None = 0,
        device: str = "auto",
    ) -> None:
        self.dim = dim
        self.codec = codec
        self.encoder = encoder
        self.output = output
        self.epochs = epochs
        self.random_state = random_state
        self.device = device

    def fit(self, X: Any, y: Any = None) -> Compressor:
        """Fit encoder and codec.

        Args:
            X: features (n, D) of any number type.
            y: multi-hot (n, C), a list of class numbers or names for each row, or one class per row; None for
                an encoder that needs no labels.

        Raises:
            ValueError: X is no finite (n, D) array (scikit-learn's checks).
            UsageError: a parameter out of range, an encoder that needs labels, or too few rows for the codec.
            SchemaError, DataError: labels that are none, or of another number of rows.
        """
        if self.output not in OUTPUTS:
            raise UsageError(f"output must be one of {', '.join(OUTPUTS)}, not {self.output!r}")
        dim = whole_number(self.dim, "dim", least=1)
        X = validate_data(self, _array(X), dtype=[np.float32, np.float64], ensure_min_samples=2)
        labels, self.classes_ = _classes_of(y, len(X))
        name = self.encoder
        if name == "auto":
            name = "pca" if labels is None else "linear"
            if labels is None:
                warnings.warn(
                    "no labels: PCA takes the place of an encoder trained on labels; pass y to train one, or "
                    "encoder='pca' to mean it",
                    UserWarning,
                    stacklevel=2,
                )
        self.encoder_ = Encoder.fit(
            name,
            X,
            labels,
            dim=min(dim, X.shape[1]),
            epochs=self.epochs,
            seed=_seed(self.random_state),
            device=self.device,
        )
        embedding = self.encoder_.encode(X)
        self.codec_ = Codec.fit(self.codec, embedding)
        self.bytes_per_row_ = self.codec_.bytes_per_video
        self._n_features_out = self.codec_.width if self.output == "codes" else self.codec_.dim
        return self

    def transform(self, X: Any) -> np.ndarray:
        """Codes (n, width) of the codec's type, or with output="embedding" float32 (n, dim).

        Raises:
            ValueError: X is no finite array of the D features that were seen in `fit`.
            NotFittedError: before `fit`.
        """
        check_is_fitted(self)
        X = validate_data(self, _array(X), dtype=[np.float32, np.float64], reset=False)
        codes = self.codec_.encode(self.encoder_.encode(X))
        return codes if self.output == "codes" else self.codec_.decode(codes)

    def inverse_transform(self, X: Any) -> np.ndarray:
        """Embeddings float32 (n, dim) of codes: what search and classifiers compute with.

        The features themselves cannot be had back: an embedding that was trained on labels keeps what tells
        classes apart. With output="embedding", X is the embedding already.

        Raises:
            SchemaError, DataError: not what `transform` gives.
            NotFittedError: before `fit`.
        """
        check_is_fitted(self)
        if self.output == "codes":
            return self.codec_.decode(X)
        return as_features(X, "embeddings", dim=self.codec_.dim)

    def __sklearn_tags__(self) -> Tags:
        tags = super().__sklearn_tags__()
        assert tags.transformer_tags is not None
        tags.transformer_tags.preserves_dtype = []  # codes have the codec's type
        return tags


def _array(X: Any) -> Any:
    """X for scikit-learn's checks, which take dates for numbers and see no mask."""
    plain = plain_array(X)
    kind = getattr(getattr(plain, "dtype", None), "kind", "f")
    known = isinstance(plain, list | tuple) or hasattr(plain, "tocsr") or hasattr(plain, "__array__")
    if not known or kind in "mM" or np.ma.is_masked(plain):
        as_features(plain, "X")
    return plain


def _seed(random_state: Any) -> int:
    if isinstance(random_state, np.random.RandomState):
        return int(random_state.randint(2**31 - 1))
    return 0 if random_state is None else whole_number(random_state, "random_state")


def _classes_of(y: Any, rows: int) -> tuple[Labels | None, Any]:
    """Labels that `Encoder.fit` takes, and what the classes are called."""
    if y is None:
        return None, None
    plain = plain_array(y)
    if not isinstance(plain, list | tuple | Labels) and not hasattr(plain, "tocsr"):
        plain = np.asarray(plain)
    if isinstance(plain, np.ndarray) and plain.ndim == 0:
        return as_labels(y, rows, what="y"), None  # which says what is wrong with it
    if not hasattr(plain, "tocsr") and len(plain) and np.ndim(plain[0]) == 0:
        # One class per row, of any kind, as scikit-learn's classifiers take it: -1 and 1, or words.
        if len({isinstance(value, str) for value in plain}) > 1:
            raise SchemaError("y mixes class numbers and class names", hint="give all in the same form")
        flat = column_or_1d(plain)
        if flat.dtype.kind == "f" and not np.isfinite(flat).all():
            raise DataError("y holds NaN or infinity", hint="leave those rows out")
        check_classification_targets(flat)
        names, numbers = np.unique(flat, return_inverse=True)
        return as_labels(numbers, rows, num_classes=len(names)), names
    labels = as_labels(y, rows)
    return labels, np.array(labels.names) if labels.names else np.arange(labels.num_classes)
