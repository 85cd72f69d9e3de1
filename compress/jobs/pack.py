"""`compress pack`: the encoder of a run in one file, with a model card; and as ONNX."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path

from compress.artifacts.atomic import write_bytes
from compress.errors import UsageError
from compress.jobs.model_card import model_card
from compress.jobs.names import find_run
from compress.progress import Reporter, silent
from compress.workspace import Workspace

SUFFIX = ".safetensors"


@dataclass(frozen=True)
class Packed:
    """What was written.

    Args:
        run: its name. output: the file. card: the model card beside it. onnx: the ONNX file, or None.
        dim: embedding size. bytes: of `output`.
        difference: the largest between ONNX and torch, as a share of the largest number; None without ONNX.
    """

    run: str
    output: Path
    card: Path
    onnx: Path | None
    dim: int
    bytes: int
    difference: float | None


def pack_run(
    workspace: Workspace,
    *,
    run: str,
    output: Path,
    onnx: Path | None = None,
    data_license: str | None = None,
    replace: bool = False,
    report: Reporter = silent,
) -> Packed:
    """Write the encoder of a finished run, without its heads, to one file that `compress.load` reads.

    Args:
        workspace: has the run, and what was measured of it.
        run: its name.
        output: a .safetensors file; its model card gets the same name with .md.
        onnx: an ONNX file to write too.
        data_license: of the training data, for the card; None where it is not known.
        replace: write over files that are there.
        report: gets notes.

    Raises:
        NotFoundError: no such run, or it has not finished.
        UsageError: a file is there, another suffix, or an encoder that ONNX cannot hold.
        UnavailableError: ONNX without its packages.
    """
    if output.suffix.lower() != SUFFIX:
        raise UsageError("is a safetensors file", where=output, hint=f"end OUTPUT in {SUFFIX}")
    card = output.with_suffix(".md")
    files = [output, card] if onnx is None else [output, card, onnx]
    there = [path for path in files if path.exists() or path.is_symlink()]
    if there and not replace:
        raise UsageError("is there already", where=there[0], hint="choose another name, or give --replace")
    if len(set(map(Path.resolve, files))) < len(files):
        raise UsageError("is the name of another output too", where=f"--onnx {onnx}", hint="end it in .onnx")
    name = find_run(workspace, None, run)

    # Imported late: torch takes seconds, and a wrong name should be answered at once.
    from compress.training.packed import encoder_parts, write_packed
    from compress.training.run import load_model

    folder = workspace.run(name)
    difference = None
    if onnx is not None:
        from compress.training.onnx_file import write_onnx

        difference = write_onnx(load_model(folder)[0], onnx, name)
    tensors, facts = encoder_parts(folder)
    text = model_card(workspace, name, facts, output.name, data_license)
    write_packed(output, tensors, facts, name, text)
    write_bytes(card, text.encode())
    dim = int(facts["model_config"]["encoder_options"]["dim"])
    return Packed(name, output, card, onnx, dim, output.stat().st_size, difference)
