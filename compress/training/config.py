"""The settings of a training: one frozen dataclass, kept as JSON in every run."""

from __future__ import annotations

import difflib
from collections.abc import Iterable, Mapping
from dataclasses import asdict, dataclass, fields, replace
from typing import Any, Literal

from compress.errors import UsageError
from compress.training.settings import check_settings, rules, setting
from encoders.quantizers import QUANTIZERS

NormMode = Literal["l2", "l2_scaled", "l2_standardize", "standardize", "none"]


@dataclass(frozen=True)
class TrainConfig:
    """A recipe; `settings.describe(TrainConfig)` lists its settings.

    Args:
        encoder: a registered encoder, or one of `recipes.CLOSED_FORM`.

    Raises:
        UsageError: a value of the wrong type or out of range, or settings that do not go together.
    """

    encoder: str
    encoder_options: Mapping[str, Any] = setting({}, "the encoder's own settings, without input_dim")
    head: str | None = setting(
        "moe", "the head that is trained with the encoder: moe or logistic; null for closed-form encoders"
    )
    head_options: Mapping[str, Any] = setting({}, "the head's own settings")
    input_norm: NormMode = setting(
        "l2_standardize",
        "what is done to features first: unit norm (l2, the papers), unit norm times the root of the "
        "dimensions (l2_scaled), unit norm and then each dimension to mean 0 and deviation 1 "
        "(l2_standardize), the latter alone (standardize), or nothing",
    )
    undo_whitening: str = setting(
        "",
        "npy file of the eigenvalues by whose roots YouTube-8M's rgb was divided: they are multiplied back "
        "before anything else; empty leaves the features alone",
    )
    epochs: int = setting(6, "passes over the training videos", at_least=1)
    warm_epochs: int = setting(
        0, "how many of the epochs come first with the encoder's branch switched off", at_least=0
    )
    batch_size: int = setting(256, "videos per step", at_least=1)
    optimizer: Literal["adamw", "adam"] = setting("adamw", "adamw decouples the weight decay")
    learning_rate: float = setting(1e-3, "of everything but the encoder's branch", above=0)
    branch_learning_rate: float = setting(1e-3, "of the encoder's branch", above=0)
    second_peak: float = setting(
        0.3, "learning rate after the warm epochs, as a share of learning_rate", above=0
    )
    schedule: Literal["cosine", "staircase"] = setting(
        "cosine",
        "of the learning rate: one cosine arc for the warm epochs and one for the rest, or times `decay` "
        "every `decay_examples` videos (staircase, the papers)",
    )
    warmup_steps: int = setting(50, "steps over which a cosine arc rises from 0", at_least=0)
    decay: float = setting(0.95, "factor of the staircase", above=0)
    decay_examples: int = setting(4_000_000, "videos per step of the staircase", at_least=1)
    weight_decay: float = setting(
        1e-2, "of matrices; biases and norms have none. Only with adamw", at_least=0
    )
    clip_norm: float = setting(
        0.0, "the gradient of each tensor is cut to this norm (papers: 1); 0 leaves it alone", at_least=0
    )
    input_dropout: float = setting(
        0.0, "share of the normalised input's dimensions that is dropped", at_least=0, below=1
    )
    mixup: float = setting(
        0.0,
        "each video is blended with another one, by a weight of Beta(mixup, mixup); 0 blends none",
        at_least=0,
        trained_only=True,
    )
    label_smoothing: float = setting(
        0.0,
        "how far labels are drawn towards the class frequencies",
        at_least=0,
        below=1,
        trained_only=True,
    )
    class_loss: Literal["cross_entropy", "asymmetric", "class_balanced"] = setting(
        "cross_entropy", "what the heads are measured by", trained_only=True
    )
    gamma_positive: float = setting(
        0.0, "focus on hard positives; 0 or at least 1", at_least=0, only_with="class_loss=asymmetric"
    )
    gamma_negative: float = setting(
        4.0, "focus on hard negatives; 0 or at least 1", at_least=0, only_with="class_loss=asymmetric"
    )
    margin: float = setting(
        0.05,
        "probability below which a negative counts nothing",
        at_least=0,
        below=1,
        only_with="class_loss=asymmetric",
    )
    class_balance: float = setting(
        0.999,
        "beta of the effective number of videos of a class",
        at_least=0,
        below=1,
        only_with="class_loss=class_balanced",
    )
    class_priors: bool = setting(True, "start the head from the class frequencies of the training videos")
    ema: float = setting(
        0.99,
        "decay of the running average of the weights that is validated and kept; 0 for none",
        at_least=0,
        below=1,
    )
    precision: Literal["bf16", "fp32"] = setting(
        "bf16", "of the computation; weights stay float32 with bf16 (autocast) too"
    )
    keep: Literal["best", "last"] = setting(
        "best", "which epoch is kept: the one with the highest validation GAP, or the last"
    )
    patience: int = setting(3, "stop after this many epochs without a better GAP; 0 never", at_least=0)
    seed: int = setting(0, "of weights, order and dropout", at_least=0)
    nested_dims: tuple[int, ...] = setting(
        (),
        "smaller embedding sizes (Matryoshka): the first so many dimensions are trained as an embedding too, "
        "with a head of their own; the best epoch is then by the mean GAP over all sizes",
        at_least=1,
        distinct=True,
        trained_only=True,
    )
    quantize: str = setting(
        "none",
        "heads read what this codec leaves of an embedding",
        choices=("none", *QUANTIZERS),
        trained_only=True,
    )
    teachers: tuple[str, ...] = setting(
        (),
        "names of finished runs whose mean probabilities are targets too",
        distinct=True,
        trained_only=True,
    )
    distill_weight: float = setting(
        0.5, "of the teachers; the rest is the labels'", above=0, at_most=1, only_with="teachers"
    )
    temperature: float = setting(
        1.0,
        "the logits of teachers and model are divided by it where they are compared; above 1, small "
        "differences between unlikely classes count more",
        above=0,
        only_with="teachers",
    )
    teacher_scores: Literal["auto", "kept", "computed"] = setting(
        "auto",
        "kept: computed once, on the disk; computed: with every batch; auto: kept where they fit",
        only_with="teachers",
    )
    unlabelled_ratio: float = setting(
        1.0,
        "videos without labels per step, for each with labels, where there are any",
        above=0,
        only_with="teachers",
    )

    def __post_init__(self) -> None:
        check_settings(self)
        object.__setattr__(self, "nested_dims", tuple(sorted(self.nested_dims)))
        for name in ("gamma_positive", "gamma_negative"):
            if 0 < getattr(self, name) < 1:
                _refuse(name, getattr(self, name), "0 or at least 1")
        if self.warm_epochs >= self.epochs:
            _refuse("warm_epochs", self.warm_epochs, f"below epochs ({self.epochs})")
        if self.head is None:
            _check_closed_form(self)

    def to_json(self) -> dict[str, Any]:
        """Plain dicts, lists, strings and numbers."""
        return _plain(asdict(self))


def _check_closed_form(config: TrainConfig) -> None:
    """Refuse what has no meaning for encoders that are not trained."""
    defaults = {field.name: field.default for field in fields(TrainConfig)}
    trained = [name for name, rule in rules(TrainConfig).items() if rule.trained_only]
    if asked := [name for name in trained if getattr(config, name) != defaults[name]]:
        raise UsageError(
            f"{config.encoder} is a closed-form encoder, so it takes no {', no '.join(asked)}",
            where="--set",
            hint="choose an encoder that is trained",
        )
    if config.undo_whitening and config.encoder == "identity":
        _refuse("undo_whitening", config.undo_whitening, "empty: identity leaves the features as they are")


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
        needed, _, value = rules(TrainConfig)[name].only_with.partition("=")
        if needed == "teachers" and not config.teachers:
            what = f"{name} is about teachers, and there are none"
            raise UsageError(what, where="--set", hint="name one with --teacher")
        if value and getattr(config, needed) != value:
            what = f"{name} needs {needed}={value}, and {needed} is {getattr(config, needed)}"
            raise UsageError(what, where="--set", hint=f"--set {needed}={value}")


def _refuse(name: str, value: object, wanted: str) -> None:
    raise UsageError(f"{name} must be {wanted}, not {value!r}", where="--set")


def _plain(value: Any) -> Any:
    if isinstance(value, Mapping):
        return {key: _plain(item) for key, item in value.items()}
    return [_plain(item) for item in value] if isinstance(value, list | tuple) else value
