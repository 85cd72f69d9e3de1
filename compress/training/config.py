"""What a training is told: one frozen dataclass, kept as JSON in every run."""

from __future__ import annotations

import difflib
import math
from collections.abc import Iterable, Mapping
from dataclasses import asdict, dataclass, field, fields, replace
from typing import Any, Literal

from compress.errors import UsageError
from encoders.quantizers import QUANTIZERS

NormMode = Literal["l2", "l2_scaled", "l2_standardize", "standardize", "none"]


@dataclass(frozen=True)
class TrainConfig:
    """A recipe. Epochs are passes over the training videos; sizes and rates as usual.

    Args:
        encoder: a registered encoder.
        encoder_options: its options, without input_dim.
        head, head_options: the head that is trained with it; None for encoders that are computed, not
            trained (`recipes.CLOSED_FORM`).
        input_norm: what is done to the features first: "l2" (papers), "l2_scaled" (unit norm, times the root
            of their number, so that they are of size 1), "l2_standardize" (unit norm, then each dimension to
            mean 0 and deviation 1), "standardize" or "none".
        undo_whitening: file of the eigenvalues that YouTube-8M's rgb was divided by the roots of (npy, see
            `whitening`): they are multiplied back before anything else; "" leaves the features alone.
        epochs: passes in all, >= 1.
        warm_epochs: of these, how many come first with the encoder's branch switched off (see
            `Encoder.set_warm`); 0 for encoders without a branch.
        batch_size: videos a step.
        optimizer: "adamw" (decoupled weight decay) or "adam".
        learning_rate: of everything but the branch.
        branch_learning_rate: of the encoder's branch.
        second_peak: learning rate after the warm epochs, as a share of `learning_rate`.
        schedule: "cosine" (one arc for the warm epochs, one for the rest) or "staircase" (papers: times
            `decay` every `decay_examples` videos).
        warmup_steps: steps over which a cosine arc rises from 0.
        decay, decay_examples: of the staircase.
        weight_decay: of matrices; biases and norms have none. Only with adamw.
        clip_norm: the gradient of each tensor is cut to this norm (papers: 1); 0 leaves it alone.
        input_dropout: share of the normalised input's numbers dropped, in [0, 1).
        mixup: each video is blended with another one, by a weight of Beta(mixup, mixup); 0 never.
        label_smoothing: how far labels are drawn towards the class frequencies, in [0, 1).
        class_loss: what the heads are measured by: "cross_entropy", "asymmetric" or "class_balanced".
        gamma_positive, gamma_negative, margin: of the asymmetric loss (see `encoders.Asymmetric`).
        class_balance: beta of the class-balanced loss (see `encoders.effective_number_weights`).
        class_priors: start the head from the class frequencies of the training videos.
        ema: decay of the running average of the weights that is validated and kept; 0 for none.
        precision: "bf16" (autocast; weights stay float32) or "fp32".
        keep: "best" (epoch with the highest validation GAP) or "last".
        patience: stop after this many epochs without a better GAP; 0 never.
        seed: of weights, order and dropout.
        teachers: names of finished runs whose mean probabilities are targets too (see `distillation`).
        distill_weight: of the teachers, in (0, 1]; the rest is the labels'.
        temperature: both log-odds, the teachers' and the model's, are divided by it where they are compared;
            above 1, small differences between unlikely classes count more.
        teacher_scores: "kept" (computed once, on the disk), "computed" (with every batch) or "auto".
        unlabelled_ratio: videos without labels a step for each with, where there are any (`Distillation`).
        nested_dims: further sizes (Matryoshka): the first so many numbers of an embedding are trained as an
            embedding too, with a head of their own; "best" is then by the mean GAP over all sizes.
        quantize: a codec: heads read what it leaves of an embedding (see `encoders.quantizers`); or "none".
    """

    encoder: str
    encoder_options: Mapping[str, Any] = field(default_factory=dict)
    head: str | None = "moe"
    head_options: Mapping[str, Any] = field(default_factory=dict)
    input_norm: NormMode = "l2_standardize"
    undo_whitening: str = ""
    epochs: int = 6
    warm_epochs: int = 0
    batch_size: int = 256
    optimizer: Literal["adamw", "adam"] = "adamw"
    learning_rate: float = 1e-3
    branch_learning_rate: float = 1e-3
    second_peak: float = 0.3
    schedule: Literal["cosine", "staircase"] = "cosine"
    warmup_steps: int = 50
    decay: float = 0.95
    decay_examples: int = 4_000_000
    weight_decay: float = 1e-2
    clip_norm: float = 0.0
    input_dropout: float = 0.0
    mixup: float = 0.0
    label_smoothing: float = 0.0
    class_loss: Literal["cross_entropy", "asymmetric", "class_balanced"] = "cross_entropy"
    gamma_positive: float = 0.0
    gamma_negative: float = 4.0
    margin: float = 0.05
    class_balance: float = 0.999
    class_priors: bool = True
    ema: float = 0.99
    precision: Literal["bf16", "fp32"] = "bf16"
    keep: Literal["best", "last"] = "best"
    patience: int = 3
    seed: int = 0
    nested_dims: tuple[int, ...] = ()
    quantize: str = "none"
    teachers: tuple[str, ...] = ()
    distill_weight: float = 0.5
    temperature: float = 1.0
    teacher_scores: Literal["auto", "kept", "computed"] = "auto"
    unlabelled_ratio: float = 1.0

    def __post_init__(self) -> None:
        for name, choices in _CHOICES.items():
            if getattr(self, name) not in choices:
                _refuse(name, getattr(self, name), "one of " + ", ".join(choices))
        if not isinstance(self.class_priors, bool):
            _refuse("class_priors", self.class_priors, "true or false")
        for name in ("epochs", "batch_size", "decay_examples"):
            _check(name, getattr(self, name), 1, int)
        for name in ("warm_epochs", "warmup_steps", "patience", "seed"):
            _check(name, getattr(self, name), 0, int)
        for name in (
            *("learning_rate", "branch_learning_rate", "second_peak", "decay"),
            *("distill_weight", "temperature", "unlabelled_ratio"),
        ):
            _check(name, getattr(self, name), 1e-12)
        for name in ("weight_decay", "clip_norm", "mixup", "gamma_positive", "gamma_negative"):
            _check(name, getattr(self, name), 0)
        for name in ("gamma_positive", "gamma_negative"):
            if 0 < getattr(self, name) < 1:
                _refuse(name, getattr(self, name), "0 or at least 1")
        if not isinstance(self.undo_whitening, str):
            _refuse("undo_whitening", self.undo_whitening, "the name of a file")
        for name in ("input_dropout", "ema", "label_smoothing", "margin", "class_balance"):
            _check(name, getattr(self, name), 0)
            if getattr(self, name) >= 1:
                _refuse(name, getattr(self, name), "below 1")
        if self.distill_weight > 1:
            _refuse("distill_weight", self.distill_weight, "at most 1")
        object.__setattr__(self, "teachers", _names("teachers", self.teachers))
        object.__setattr__(self, "nested_dims", _sizes("nested_dims", self.nested_dims))
        if self.warm_epochs >= self.epochs:
            _refuse("warm_epochs", self.warm_epochs, f"below epochs ({self.epochs})")
        if self.head is None:
            _check_computed(self)

    def to_json(self) -> dict[str, Any]:
        """Plain dicts, lists, strings and numbers."""
        return _plain(asdict(self))


def _check_computed(config: TrainConfig) -> None:
    """Refuse what has no meaning for encoders that are computed."""
    defaults = {field.name: field.default for field in fields(TrainConfig)}
    asked = [name for name in _ONLY_TRAINED if getattr(config, name) != defaults[name]]
    if asked:
        raise UsageError(
            f"{config.encoder} is computed, not trained, so it takes no {', no '.join(asked)}",
            where="--set",
            hint="choose an encoder that is trained",
        )
    if config.undo_whitening and config.encoder == "identity":
        _refuse("undo_whitening", config.undo_whitening, "empty: identity leaves the features as they are")


_ONLY_TRAINED = ("mixup", "label_smoothing", "class_loss", "teachers", "nested_dims", "quantize")
# Settings that do nothing unless another one has this value, or there are teachers.
_PARTS = {
    "gamma_positive": ("class_loss", "asymmetric"),
    "gamma_negative": ("class_loss", "asymmetric"),
    "margin": ("class_loss", "asymmetric"),
    "class_balance": ("class_loss", "class_balanced"),
}
_OF_TEACHERS = ("distill_weight", "temperature", "teacher_scores", "unlabelled_ratio")
_CHOICES = {
    "input_norm": ("l2", "l2_scaled", "l2_standardize", "standardize", "none"),
    "class_loss": ("cross_entropy", "asymmetric", "class_balanced"),
    "optimizer": ("adamw", "adam"),
    "schedule": ("cosine", "staircase"),
    "precision": ("bf16", "fp32"),
    "keep": ("best", "last"),
    "teacher_scores": ("auto", "kept", "computed"),
    "quantize": ("none", *QUANTIZERS),
}


def with_overrides(
    config: TrainConfig, overrides: Mapping[str, Any], encoder_options: set[str]
) -> TrainConfig:
    """A recipe with some values replaced; names that are not the recipe's own are the encoder's options.

    Args:
        config: the recipe.
        overrides: values by name.
        encoder_options: the names that the encoder knows.

    Raises:
        UsageError: a name that neither knows, a value out of range, or one that would do nothing.
    """
    own = {f.name for f in fields(TrainConfig)} - {"encoder", "encoder_options"}
    chosen = {name: value for name, value in overrides.items() if name in own}
    options = {name: value for name, value in overrides.items() if name not in own}
    for name in options:
        if name not in encoder_options:
            close = difflib.get_close_matches(name, sorted(own | encoder_options), n=1)
            hint = (
                f"did you mean {close[0]}?" if close else "known: " + ", ".join(sorted(own | encoder_options))
            )
            raise UsageError(f"no setting {name!r} for encoder {config.encoder!r}", where="--set", hint=hint)
    changed = replace(config, encoder_options={**config.encoder_options, **options}, **chosen)
    _check_of_use(changed, chosen)
    return changed


def _check_of_use(config: TrainConfig, chosen: Iterable[str]) -> None:
    """Refuse a chosen setting that does nothing in this recipe: who tries its values would see no change."""
    for name in chosen:
        if name in _OF_TEACHERS and not config.teachers:
            what = f"{name} is about teachers, and there are none"
            raise UsageError(what, where="--set", hint="name one with --teacher")
        owner, value = _PARTS.get(name, ("", None))
        if owner and getattr(config, owner) != value:
            what = f"{name} is of {owner}={value}, and {owner} is {getattr(config, owner)}"
            raise UsageError(what, where="--set", hint=f"--set {owner}={value}")


def _check(name: str, value: object, least: float, kind: type = float) -> None:
    number = isinstance(value, int) or (kind is float and isinstance(value, float))
    if isinstance(value, bool) or not number or not least <= value < math.inf:  # type: ignore[operator]
        whole = "a whole number" if kind is int else "a number"
        _refuse(name, value, f"{whole}, at least {least:g}")


def _sizes(name: str, values: Any) -> tuple[int, ...]:
    """Whole numbers from 1 on, ascending, as a tuple: of JSON they come as a list."""
    if not isinstance(values, list | tuple):
        _refuse(name, values, "a list of sizes, for example [32,64,128]")
    for value in values:
        _check(name, value, 1, int)
    if len(set(values)) < len(values):
        _refuse(name, values, "sizes that are not there twice")
    return tuple(sorted(values))


def _names(name: str, values: Any) -> tuple[str, ...]:
    """Different words, as a tuple: of JSON they come as a list."""
    words = isinstance(values, list | tuple) and all(isinstance(value, str) and value for value in values)
    if not words or len(set(values)) < len(values):
        _refuse(name, values, "a list of different names")
    return tuple(values)


def _refuse(name: str, value: object, wanted: str) -> None:
    raise UsageError(f"{name} must be {wanted}, not {value!r}", where="--set")


def _plain(value: Any) -> Any:
    if isinstance(value, Mapping):
        return {key: _plain(item) for key, item in value.items()}
    return [_plain(item) for item in value] if isinstance(value, list | tuple) else value
