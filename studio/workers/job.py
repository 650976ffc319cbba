"""A job: one preset's pictures, with all that a worker must know to make them as this process would."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path

from studio.files import read_regular
from studio.images import MAX_FILE_BYTES, locate
from studio.library import Library
from studio.library.missing import describe_networks, named_by
from studio.plan.stated import stated_plan
from studio.preset import Preset
from studio.preset.variants import chosen, preset_varies
from studio.workers.models import identity, named_models, networks_of


@dataclass(frozen=True)
class Job:
    """What goes to a worker.

    Args:
        drift_every: as :meth:`studio.engine.Engine.generate` takes it.
        models: id → what each is known by (:func:`studio.workers.models.identity`).
        networks: what a worker will have in memory, by which jobs go where that lies already.
        pictures: reference → file, for a worker that does not see this machine's files.
        explain: as :meth:`studio.engine.Engine.generate` takes it.
        watched: whether somebody looks on: every event is said as it comes, previews among them.
    """

    preset: Preset
    drift_every: int = 0
    models: Mapping[str, str] = field(default_factory=dict)
    networks: frozenset[str] = frozenset()
    pictures: Mapping[str, bytes] = field(default_factory=dict)
    explain: bool = False
    watched: bool = False


class Packer:
    """Makes jobs of presets.

    Args:
        roots: folders that relative pictures may lie in.
        far: for workers that do not see this machine's files.
        drift_every: of every job.
        library: where models are looked up.
    """

    def __init__(
        self,
        roots: Sequence[Path] = (),
        far: bool = False,
        drift_every: int = 0,
        library: Library | None = None,
    ) -> None:
        self.roots, self.far, self.drift_every = tuple(roots), far, drift_every
        self.library = library if library is not None else Library()

    def __call__(self, preset: Preset) -> Job:
        """The job of a preset.

        Raises:
            StudioError: what is wrong with it: a model, a picture, a value.
        """
        preset = _settled(preset)
        with named_by(preset):
            describe_networks(preset, self.library)
        plan = stated_plan(preset, self.library, self.roots)
        models = {
            name: identity(entry, self.far)
            for name, entry in named_models(preset, plan, self.library).items()
        }
        pictures = self._pictures(preset) if self.far else {}
        return Job(preset, self.drift_every, models, networks_of(plan), pictures)

    def _pictures(self, preset: Preset) -> dict[str, bytes]:
        found = {}
        for ref, name in preset.image_references(active=True):
            if not ref.startswith("data:"):
                found[ref] = read_regular(locate(ref, self.roots, field=name), MAX_FILE_BYTES)
        return found


def _settled(preset: Preset) -> Preset:
    """With what its prompts leave to chance chosen, as the engine chooses it: a worker elsewhere
    has other lists of words."""
    sampler = preset.sampler
    seed = sampler.variation_seed if sampler.variation_strength else sampler.seed
    if sampler.count > 1 or seed < 0 or not preset_varies(preset):
        return preset
    return chosen(preset, seed)
