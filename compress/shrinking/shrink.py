"""A finished run -> a smaller one: prune, train the rest, store in fewer bits, measure."""

from __future__ import annotations

import time
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from compress.artifacts.atomic import write_bytes
from compress.artifacts.lock import exclusive
from compress.artifacts.sealed import sealed_lines
from compress.errors import DataError, UsageError
from compress.machine import use_torch_threads
from compress.progress import Note, Reporter, silent
from compress.run_config import read_run_config
from compress.shrinking.plan import ShrinkPlan, tuning_config
from compress.shrinking.pruning import Pruning, prune, share_of_zeros
from compress.training.checks import check
from compress.training.identity import claim
from compress.training.inputs import Table, fingerprint
from compress.training.log import read_log
from compress.training.loop import train
from compress.training.precision import device_settings
from compress.training.run import WEIGHTS, Run, load_model, model_manifest, open_model, remove_run, save_model
from compress.training.scoring import figures_by_dim, figures_json
from compress.training.weights import matrices_of, not_zero_by_part, pack, unpack
from encoders import Model


@dataclass(frozen=True)
class Shrunk:
    """The new run's folder, and its figures on the validation videos (empty without a head)."""

    run: Path
    figures: Mapping[str, float]
    seconds: float


def shrink(
    source: str | Path,
    output: str | Path,
    plan: ShrinkPlan,
    table: Table | None,
    validation: Table | None,
    *,
    device: str = "cpu",
    threads: int = 0,
    report: Reporter = silent,
) -> Shrunk:
    """Make a smaller model of a finished run, as a run of its own.

    Args:
        source: folder of the run; it is left as it is.
        output: folder of the new one; a stopped shrinking there is continued, a finished one kept.
        plan: what to do.
        table: videos to train on; None if the plan has no epochs.
        validation: videos to measure on; None for a run without a head.
        device: "cpu" or "cuda".
        threads: CPU threads of torch; 0 leaves them as they are.
        report: gets notes and progress.

    Raises:
        UsageError: the run has no weights or was made smaller before, a closed-form encoder would have to be
            trained, or the folder holds something else.
        NotFoundError: no finished run.
        DataError: a weight is not finite, or too large for float16.
        SchemaError, DivergedError: see `train`.
        Interrupted: on request; the training is kept.
    """
    source, output = Path(source), Path(output)
    use_torch_threads(threads)
    started = time.monotonic()
    model, manifest = open_model(source)
    sha256, facts = manifest.files[WEIGHTS].sha256, manifest.metadata
    work = _Work(source, Run(output), plan, sha256, facts, table, validation, device)
    _check(work, model)
    with exclusive(output / "train"):
        claim(work.run, work.identity, "--output")
        if work.run.finished:
            report(Note(f"{output} is finished already"))
        else:
            _store(work, _pruned(work, model, threads, report))
        remove_run(work.run.tuning)
    return Shrunk(output, model_manifest(output).metadata["figures"], time.monotonic() - started)


@dataclass(frozen=True)
class _Work:
    """The arguments of `shrink`, and the metadata of the run's model."""

    source: Path
    run: Run
    plan: ShrinkPlan
    sha256: str
    facts: Mapping[str, Any]
    table: Table | None
    validation: Table | None
    device: str

    @property
    def identity(self) -> dict[str, Any]:
        """The JSON of config.json: the source's, with what is different here."""
        config = Run(self.source).config
        before = read_run_config(self.source) if config.exists() else {}
        tables = {"data": self.table, "validation": self.validation}
        return {
            **before,
            "config": self.facts["train_config"],
            "device": self.device,
            **{name: fingerprint(each) for name, each in tables.items() if each is not None},
            "refines": {"run": self.source.name, "model_sha256": self.sha256, **self.plan.to_json()},
        }


def _check(work: _Work, model: Model) -> None:
    """Refuse what cannot be made smaller, before the folder is claimed."""
    if "shrunk" in work.facts:
        hint = f"shrink {work.facts['shrunk']['run']!r} with other options"
        raise UsageError("was made smaller already", where=work.source, hint=hint)
    if not matrices_of(model):
        raise UsageError("has no weights to make smaller", where=work.source)
    if work.plan.epochs:
        config = tuning_config(work.facts["train_config"], work.plan)
        assert work.table is not None
        assert work.validation is not None
        check(config, work.table, work.validation, work.device)


def _pruned(work: _Work, model: Model, threads: int, report: Reporter) -> Model:
    """The pruned model, in float32."""
    plan = work.plan
    if plan.epochs:
        assert work.table is not None
        assert work.validation is not None
        train(
            tuning_config(work.facts["train_config"], plan),
            work.table,
            work.validation,
            work.run.tuning,
            device=work.device,
            threads=threads,
            report=report,
            refinement=Pruning(model, work.sha256, plan.prune, plan.scope),
        )
        return load_model(work.run.tuning)[0]
    if plan.prune:
        prune(matrices_of(model), plan.prune, plan.scope)
    return model


def _store(work: _Work, model: Model) -> None:
    """Store the model, with its figures after rounding."""
    left_out, state = _for_training_alone(model), model.state_dict()
    kept = {name: matrix for name, matrix in matrices_of(model).items() if name not in left_out}
    try:
        packed, description = pack(state, kept.keys(), work.plan.weights, left_out)
    except ValueError as error:
        raise DataError(str(error), where=work.source, hint="choose another --weights") from error
    # The figures must be those of the weights as they are stored.
    model.load_state_dict(unpack(packed, description, state))
    facts = {**work.facts, "weights": description}
    if work.validation is not None:
        precision = facts["train_config"]["precision"]
        with device_settings(work.device, precision):
            facts |= figures_json(figures_by_dim(model.to(work.device), work.validation, precision))
    parameters = {name: value for name, value in model.named_parameters() if name not in left_out}
    not_zero = not_zero_by_part(parameters)
    facts["parameters"] = {part: n for part, n in facts["parameters"].items() if part in not_zero}
    facts["shrunk"] = {
        "run": work.source.name,
        "model_sha256": work.sha256,
        **work.plan.to_json(),
        "share_of_zeros": round(share_of_zeros(kept.values()), 4),
        "not_zero": not_zero,
    }
    write_bytes(work.run.log, joined_log(work.source, work.run.tuning))
    save_model(work.run.model, packed, facts)


def _for_training_alone(model: Model) -> set[str]:
    """Names of tensors that neither embeddings nor scores depend on."""
    only = {id(parameter) for parameter in model.encoder.training_only_parameters()}
    named = {name for name, parameter in model.named_parameters() if id(parameter) in only}
    parts = ("side_heads.", "readout.")
    return named | {name for name in model.state_dict() if name.startswith(parts)}


def joined_log(source: Path, tuning: Path) -> bytes:
    """The log of a run, continued by the epochs of its pruning; a missing log is empty."""
    first, further = read_log(Run(source).log), read_log(Run(tuning).log)
    return sealed_lines([*first, *({**line, "epoch": len(first) + line["epoch"]} for line in further)])
