"""The backbone that a name of the command line means."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING

from compress.errors import UsageError

if TYPE_CHECKING:
    from compress.extract.backbones.backbone import AudioBackbone, Backbone

BUILT_IN = "efficientnet-lite0"
FORMS = f"{BUILT_IN}, timm:NAME, torchvision:NAME, open_clip:NAME/TAG or FILE.onnx"
LIBRARIES = ("timm", "torchvision", "open_clip")


@dataclass(frozen=True)
class BackboneChoice:
    """What the user asked for; each process loads it for itself.

    Args:
        name: see `FORMS`.
        weights: file of its weights, "download", or None for the built-in backbone and ONNX files.
        audio: file of the backbone of sound, or None for no sound.
        device: "cpu" or "cuda".
    """

    name: str = BUILT_IN
    weights: str | None = None
    audio: Path | None = None
    device: str = "cpu"

    def __call__(self) -> tuple[Backbone, AudioBackbone | None]:
        """Load both.

        Raises:
            UsageError: no such backbone, or weights missing or too many.
            UnavailableError: a package is missing; the hint is the command that installs it.
            NotFoundError, DataError, SchemaError, ConfigError: of the files.
        """
        visual = self._loader()()
        if self.audio is None:
            return visual, None
        from compress.extract.backbones.vggish import load_audio

        return visual, load_audio(self.audio, self.device)

    def _loader(self) -> Callable[[], Backbone]:
        library, _, name = self.name.partition(":")
        if self.name == BUILT_IN or self.name.endswith(".onnx"):
            if self.weights is not None:
                raise UsageError(
                    f"{self.name} brings its own weights", where="--weights", hint="leave it out"
                )
            if self.name == BUILT_IN:
                from compress.extract.backbones import efficientnet_lite

                return lambda: efficientnet_lite.load(self.device)
            from compress.extract.backbones import onnx

            return lambda: onnx.load(Path(self.name).expanduser(), self.device)
        if library not in LIBRARIES or not name:
            raise UsageError(f"no backbone {self.name!r}", where="--backbone", hint=FORMS)
        weights = self.weights
        if weights is None:
            what = "say where its weights are: nothing is downloaded unasked"
            hint = "--weights FILE, or --weights download for those that the library itself publishes"
            raise UsageError(what, where=f"--backbone {self.name}", hint=hint)
        from compress.extract.backbones import libraries

        load = {"timm": libraries.load_timm, "torchvision": libraries.load_torchvision}.get(
            library, libraries.load_open_clip
        )
        return lambda: load(name, weights, self.device)
