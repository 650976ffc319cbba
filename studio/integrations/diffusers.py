"""Rows in diffusers' modular pipelines: a guider with as many predictions as a preset has passes.

    pipe = ModularPipeline.from_pretrained("stabilityai/stable-diffusion-xl-base-1.0")
    guider = RowGuidance.from_preset("sunflower.json")
    pipe.update_components(guider=guider)
    images = guider.run(pipe, height=1024, width=1024, output="images")

A modular pipeline asks its guider which conditions to run the network on, and what to make of the
predictions. It hands over two conditions, of a prompt and a negative prompt; a preset has more. So
:meth:`RowGuidance.read` runs the pipeline once for each prompt up to that question, notes what it
would have run, and stops it there: what a family does to its prompts stays the family's business.
"""

from __future__ import annotations

import json
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from pathlib import Path
from typing import Any, ClassVar

import torch
from diffusers.configuration_utils import register_to_config
from diffusers.guiders.guider_utils import BaseGuidance, GuiderOutput
from diffusers.modular_pipelines.modular_pipeline import BlockState
from torch import Tensor

from studio.diffusion.guidance import masked_sum
from studio.errors import IncompatibleModels, StudioError
from studio.integrations.guider_passes import (
    ROWS,
    PipelineModels,
    check_masks,
    check_pass,
    check_whole,
    layers_of,
    map_of,
    set_adapters,
    text_of,
)
from studio.plan import Plan, compile_plan
from studio.plan.passes import EVERYWHERE, Pass
from studio.plan.places import meeting_in
from studio.preset import Preset, validate
from studio.share import read_any

_STEPS = 1000  # time steps of the models' training, where a scheduler does not say


class _Asked(BaseException):
    """The pipeline has asked for its conditions; no error, so that no block reports it."""


class RowGuidance(BaseGuidance):
    """Guidance rows as a guider: ``ε̂ = Σ_j a_j(t)·ε_j`` over the preset's distinct passes.

    Rows are prompts, with LoRAs that the pipeline has loaded, weights of any sign, ranges, curves,
    masks, references and ω; ``AND`` and decoupling as in the studio. The pipeline's own call gives
    steps, seed and size.

    Args:
        preset: a preset as plain data.
        adapters: id of a LoRA in the preset → its ``adapter_name`` in the pipeline. One of the
            library may be left out; its name is then the last part of its id.

    Raises:
        BadPreset, IncompatibleModels: a row that a guider cannot run; names its field.
    """

    _input_predictions: ClassVar = ["pred_cond", "pred_uncond"]  # the class's; a plan has its own

    @register_to_config
    def __init__(
        self, preset: dict[str, Any] | None = None, adapters: dict[str, str] | None = None
    ) -> None:
        super().__init__()
        self._preset = validate(preset or {})
        self._adapters = dict(adapters or {})
        self._catalogue = PipelineModels(self._preset.base, self._adapters)
        self._read: dict[Any, Mapping[str, Any]] = {}
        self._listening = False
        self._heard: Mapping[str, Any] | None = None
        self._active: list[Pass] = []
        self._plan: Plan | None = None
        self._total, self._size, self._before = _STEPS, (0, 0), None
        self._passes = self._distinct()

    @classmethod
    def from_preset(
        cls, preset: Preset | Mapping[str, Any] | str | Path, adapters: dict[str, str] | None = None
    ) -> RowGuidance:
        """From a preset, its data, or a file that holds one (JSON or an image)."""
        if isinstance(preset, str | Path):
            preset = read_any(preset)[0]
        data = json.loads(preset.to_json()) if isinstance(preset, Preset) else dict(preset)
        return cls(preset=data, adapters=adapters)

    # -- what a person calls ----------------------------------------------------------------

    def read(self, pipe: Any, **arguments: Any) -> None:
        """Read every prompt of the preset through ``pipe``, with the arguments of the call to come.

        The network is not run.

        Raises:
            IncompatibleModels: a LoRA that the pipeline has not loaded; names the row's field.
        """
        scheduler = pipe.scheduler
        self._total = int(getattr(scheduler.config, "num_train_timesteps", None) or _STEPS)
        given = {k: v for k, v in arguments.items() if k not in ("generator", "output")}
        self._size = (int(arguments.get("width") or 0), int(arguments.get("height") or 0))
        check_masks(self._preset, *self._size)
        self._read, own = {}, pipe.guider
        pipe.update_components(guider=self)
        try:
            for item in self._passes:
                with self._on_the_text(pipe, item):
                    self._read[text_of(item)] = self._asked(
                        pipe, item.condition.prompt or "", given
                    )
        finally:
            self._listening = False
            if own is not self:
                pipe.update_components(guider=own)

    def run(self, pipe: Any, **arguments: Any) -> Any:
        """Read the prompts, then call ``pipe`` with ``arguments``; what that returns."""
        self.read(pipe, **arguments)
        prompt = next((one.condition.prompt for one in self._passes if one.condition.prompt), "")
        own = pipe.guider
        pipe.update_components(guider=self)
        try:
            return pipe(prompt=prompt, **arguments)
        finally:
            self._step = None  # type: ignore[assignment]  # between runs there is no step
            if own is not self:
                pipe.update_components(guider=own)

    # -- what the pipeline calls --------------------------------------------------------------

    @property
    def num_conditions(self) -> int:
        """Passes at this step; two between runs, where both prompts are to be encoded."""
        return 2 if self._step is None or self._listening else len(self._active)

    @property
    def is_conditional(self) -> bool:
        """Whether the pass that is being prepared has a prompt."""
        place = self._count_prepared - 1
        return not (0 <= place < len(self._active)) or bool(self._active[place].condition.prompt)

    def set_state(self, step: int, num_inference_steps: int, timestep: Any) -> None:
        """Find the passes of this step, from how much noise is behind it."""
        super().set_state(step, num_inference_steps, timestep)
        now = min(1.0, max(0.0, 1.0 - (float(timestep) + 1.0) / self._total))
        self._plan = self._compiled([now])
        self._active = [self._plan.passes[index] for index in self._plan.active(0)]

    def prepare_inputs(self, data: Any) -> list[BlockState]:
        """The conditions of this step's passes, as they were read."""
        if self._listening:
            self._heard = data
            raise _Asked
        if not self._read:
            raise StudioError("has read no prompts yet: call run, or read", field="RowGuidance")
        batches = []
        for number, item in enumerate(self._active):
            condition = self._read[text_of(item)]
            batches.append(BlockState(**condition, **{self._identifier_key: f"pred_{number}"}))
        return batches

    def prepare_models(self, denoiser: torch.nn.Module) -> None:
        """Give the network the LoRAs of the pass that comes next."""
        item = self._active[self._count_prepared]
        super().prepare_models(denoiser)
        if any(one.weights.loras for one in self._passes):
            network: Any = denoiser
            names = [(self._name(name), scale) for name, scale in item.weights.loras]
            if names:
                network.enable_adapters()
                network.set_adapters([n for n, _ in names], [s for _, s in names])
            else:
                network.disable_adapters()

    def cleanup_models(self, denoiser: torch.nn.Module) -> None:
        """After the last pass of a step, leave the network without a row's LoRA."""
        if self._count_prepared == len(self._active) and any(
            one.weights.loras for one in self._passes
        ):
            network: Any = denoiser
            network.disable_adapters()

    def forward(self, **predictions: Tensor) -> GuiderOutput:
        """``Σ_j a_j·ε_j``; as the conditional one, which some pipelines scale by, the sum of weight 1.

        That is ``ε_0 + Σ (ε_i − r_i)`` over the rows of positive weight: for one row ``ε_1``.
        """
        assert self._plan is not None
        indices = self._plan.active(0)
        outputs = {index: predictions[f"pred_{n}"] for n, index in enumerate(indices)}
        shape = next(iter(outputs.values()))
        masks = {
            mask: map_of(mask, shape, self._size)
            for item in self._plan.passes
            for mask in (*item.masked, *item.reference)
            if mask != EVERYWHERE
        }
        sums = [
            masked_sum(outputs, layers, masks).to(shape.dtype)
            for layers in (layers_of(self._plan, "sum"), layers_of(self._plan, "reference"))
        ]
        return GuiderOutput(pred=sums[0], pred_cond=sums[1], pred_uncond=None)

    # -- rows ---------------------------------------------------------------------------------

    def _compiled(self, progress: Sequence[float]) -> Plan:
        """The plan at these places of the denoising, with the sum of weight 1 beside the guided."""
        rescaled = self._preset.model_copy(update={"guidance_rescale": 1.0})
        return compile_plan(rescaled, self._catalogue, progress, meeting_in())

    def _distinct(self) -> list[Pass]:
        """Every pass that runs at some time, checked to be one that a guider can run."""
        check_whole(self._preset)
        ends = {0.0, *(end for row in self._preset.rows for end in row.range)}
        places = sorted(ends | {(a + b) / 2 for a in ends for b in ends})
        plan = self._compiled([place for place in places if place < 1.0])
        for item in plan.passes:
            check_pass(item, self._preset)
        if plan.mixtures:
            raise IncompatibleModels(
                "of personalised rows changes their base term from place to place, which a guider "
                "does not do; use the studio's engine",
                field=next(iter(plan.masks.values())),
            )
        return list(plan.passes)

    def _name(self, model: str) -> str:
        """A LoRA's name in the pipeline."""
        return self._adapters.get(model) or model.rsplit("/", 1)[-1]

    def _asked(self, pipe: Any, prompt: str, arguments: Mapping[str, Any]) -> dict[str, Any]:
        """The condition that ``pipe`` asks its guider about for one prompt.

        For the empty one it is the pipeline's own unconditional, which is not always a reading of
        the empty prompt (SDXL: zeros).
        """
        self._listening, self._heard, self._step = True, None, None  # type: ignore[assignment]
        try:
            pipe(prompt=prompt, **arguments)
        except _Asked:
            pass
        finally:
            self._listening = False
        heard: Any = self._heard
        if heard is None:
            raise IncompatibleModels("asks no guider", field=type(pipe).__name__)
        which = 0 if prompt else 1
        return {
            name: value[which if value[which] is not None else 0]
            if isinstance(value, tuple)
            else value
            for name, value in heard.items()
        }

    @contextmanager
    def _on_the_text(self, pipe: Any, item: Pass) -> Iterator[None]:
        """The text towers with the LoRAs of a pass, and with none after it."""
        wanted = {self._name(one.name): one.text for one in item.weights.adapters()}
        if not any(one.weights.adapters() for one in self._passes):
            yield
            return
        loaded = {name for names in pipe.get_list_adapters().values() for name in names}
        for model in (one.name for one in item.weights.adapters()):
            if self._name(model) not in loaded:
                raise IncompatibleModels(
                    f"{self._name(model)!r} is not loaded; call pipe.load_lora_weights(..., "
                    f"adapter_name={self._name(model)!r}) first",
                    field=f"rows.{item.rows[0]}.model" if item.rows else ROWS,
                )
        towers = [p for n, p in pipe.components.items() if n.startswith("text_encoder")]
        towers = [tower for tower in towers if getattr(tower, "peft_config", None)]
        for tower in towers:
            if wanted:
                tower.enable_adapters()
                known = {name: s for name, s in wanted.items() if name in tower.peft_config}
                set_adapters(tower, known)
            else:
                tower.disable_adapters()
        try:
            yield
        finally:
            for tower in towers:
                tower.disable_adapters()
