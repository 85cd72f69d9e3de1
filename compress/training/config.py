"""The settings of a training: one frozen dataclass, stored as JSON in every run."""

from __future__ import annotations

import difflib
from collections.abc import Iterable, Mapping
from dataclasses import asdict, dataclass, fields, replace
from typing import Any, Literal

from compress.errors import UsageError
from compress.limits import LIMITS
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
        "normalisation of the features: unit norm (l2, the papers), unit norm times the square root of the "
        "number of dimensions (l2_scaled), unit norm and then each dimension to mean 0 and deviation 1 "
        "(l2_standardize), the latter alone (standardize), or none",
    )
    undo_whitening: str = setting(
        "",
        "npy file of eigenvalues: YouTube-8M's rgb was divided by their square roots, and is multiplied by "
        "them before anything else; empty leaves the features as they are",
    )
    epochs: int = setting(
        6, "passes over the training videos; with patience, the most that there are", limit=LIMITS["epochs"]
    )
    warm_epochs: int = setting(
        0, "how many epochs at the start have the encoder's branch switched off", at_least=0
    )
    batch_size: int = setting(256, "videos per step", limit=LIMITS["batch_size"])
    least_steps: int = setting(
        0, "an epoch of few videos visits each of them often enough to have so many steps", at_least=0
    )
    refit: bool = setting(
        False,
        "as many epochs as the best one's number are trained again from the start, with a cosine arc; the "
        "last of them is kept",
        only_with="schedule=constant",
    )
    branch_epochs: int = setting(2, "of a refit after its warm epochs, if the recipe has any", at_least=1)
    optimizer: Literal["adamw", "adam"] = setting("adamw", "adamw decouples weight decay from the gradient")
    learning_rate: float = setting(
        1e-3, "of everything but the encoder's branch", limit=LIMITS["learning_rate"]
    )
    branch_learning_rate: float = setting(1e-3, "of the encoder's branch", above=0)
    second_peak: float = setting(
        0.3,
        "learning rate after the warm epochs, as a share of learning_rate",
        above=0,
    )
    schedule: Literal["cosine", "constant", "staircase"] = setting(
        "cosine",
        "of the learning rate: one cosine arc for the warm epochs and one for the rest; constant after the "
        "rise, so that patience alone decides the length; or multiplied by `decay` every `decay_examples` "
        "videos (staircase, the papers)",
    )
    warmup_steps: int = setting(
        50,
        "steps over which the rate rises from 0, at the start and when the branch is switched on",
        at_least=0,
    )
    decay: float = setting(0.95, "factor of the staircase", above=0)
    decay_examples: int = setting(4_000_000, "videos per step of the staircase", at_least=1)
    weight_decay: float = setting(
        1e-2, "of matrices; biases and norms have none. Only with adamw", at_least=0
    )
    clip_norm: float = setting(
        0.0, "the gradient of each tensor is clipped to this norm (papers: 1); 0 clips nothing", at_least=0
    )
    input_dropout: float = setting(0.0, "dropout rate of the normalised input", at_least=0, below=1)
    mixup: float = setting(
        0.0,
        "each video is blended with another one, with a weight from Beta(mixup, mixup); 0: no mixup",
        at_least=0,
        trained_only=True,
    )
    label_smoothing: float = setting(
        0.0,
        "share of the class frequencies in the targets",
        at_least=0,
        below=1,
        trained_only=True,
    )
    class_loss: Literal["cross_entropy", "asymmetric", "class_balanced"] = setting(
        "cross_entropy", "the loss of the heads", trained_only=True
    )
    gamma_positive: float = setting(
        0.0, "focus on hard positives; 0 or at least 1", at_least=0, only_with="class_loss=asymmetric"
    )
    gamma_negative: float = setting(
        4.0, "focus on hard negatives; 0 or at least 1", at_least=0, only_with="class_loss=asymmetric"
    )
    margin: float = setting(
        0.05,
        "a negative below this probability has loss 0",
        at_least=0,
        below=1,
        only_with="class_loss=asymmetric",
    )
    class_balance: float = setting(
        0.999,
        "beta of the effective number of videos per class",
        at_least=0,
        below=1,
        only_with="class_loss=class_balanced",
    )
    class_priors: bool = setting(True, "start the head from the class frequencies of the training videos")
    ema: float = setting(
        0.99,
        "decay of the running average of the weights, which is validated and kept; 0: no average",
        at_least=0,
        below=1,
    )
    precision: Literal["bf16", "fp32"] = setting(
        "bf16", "of the computation; with bf16 (autocast) weights stay float32"
    )
    keep: Literal["best", "last"] = setting(
        "best", "which epoch is kept: the one with the highest GAP, or the last"
    )
    set_aside: float = setting(
        0.0,
        "share of the training videos (50 to 5,000 of them) that are not trained on, since the best epoch "
        "and later the settings of judges are chosen on them; 0: the best epoch is chosen on the validation "
        "videos",
        at_least=0,
        below=1,
        trained_only=True,
    )
    patience: int = setting(3, "stop after this many epochs without a better GAP; 0: never", at_least=0)
    seed: int = setting(0, "of weights, order and dropout", limit=LIMITS["seed"])
    nested_dims: tuple[int, ...] = setting(
        (),
        "smaller embedding sizes (Matryoshka): the first dimensions are also trained as an embedding, with a "
        "head of their own; the best epoch is the one with the highest mean GAP over all sizes",
        limit=LIMITS["nested_dims"],
        distinct=True,
        trained_only=True,
    )
    quantize: str = setting(
        "none",
        "heads read the embedding as this codec decodes it",
        choices=("none", *QUANTIZERS),
        trained_only=True,
    )
    readout_weight: float = setting(
        0.0,
        "of a second loss in training: squared errors of a linear function of the embedding, so that linear "
        "models read it well too; 0: none",
        at_least=0,
        trained_only=True,
    )
    teachers: tuple[str, ...] = setting(
        (),
        "names of finished runs whose mean probabilities are additional targets",
        distinct=True,
        trained_only=True,
    )
    distill_weight: float = setting(
        0.5, "of the teachers; labels have the rest", limit=LIMITS["distill_weight"], only_with="teachers"
    )
    temperature: float = setting(
        1.0,
        "divides the logits of teachers and model before they are compared; above 1, small differences "
        "between unlikely classes count more",
        limit=LIMITS["temperature"],
        only_with="teachers",
    )
    teacher_scores: Literal["auto", "kept", "computed"] = setting(
        "auto",
        "kept: computed once and kept on disk; computed: for every batch; auto: kept if they fit",
        only_with="teachers",
    )
    unlabelled_ratio: float = setting(
        1.0,
        "unlabelled videos per labelled video in a step, if there are any",
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
        if self.readout_weight and self.temperature != 1:  # its targets would be of the tempered kind
            _refuse("temperature", self.temperature, "1 with readout_weight")
        if self.head is None:
            _check_closed_form(self)

    @property
    def refits(self) -> bool:
        """Whether a refit follows."""
        return self.refit and self.schedule == "constant"

    def to_json(self) -> dict[str, Any]:
        """Plain dicts, lists, strings and numbers."""
        return _plain(asdict(self))


def _check_closed_form(config: TrainConfig) -> None:
    """Refuse settings that only trained encoders have."""
    defaults = {field.name: field.default for field in fields(TrainConfig)}
    trained = [name for name, rule in rules(TrainConfig).items() if rule.trained_only]
    if asked := [name for name in trained if getattr(config, name) != defaults[name]]:
        raise UsageError(
            f"{config.encoder} is a closed-form encoder, so it takes no {', no '.join(asked)}",
            where="--set",
            hint="choose a trained encoder",
        )
    if config.undo_whitening and config.encoder == "identity":
        _refuse("undo_whitening", config.undo_whitening, "empty: identity keeps the features as they are")


def with_overrides(
    config: TrainConfig, overrides: Mapping[str, Any], encoder_options: set[str]
) -> TrainConfig:
    """A recipe with values replaced by name, its own or the encoder's (`encoder_options` are their names).

    Raises:
        UsageError: an unknown name, a value out of range, or a setting that has no effect here.
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
    """Refuse a chosen setting that has no effect in this recipe, rather than ignore it."""
    for name in chosen:
        if getattr(config, name) is False:
            continue  # what is switched off needs nothing
        needed, _, value = rules(TrainConfig)[name].only_with.partition("=")
        if needed == "teachers" and not config.teachers:
            what = f"{name} needs teachers, and there are none"
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
