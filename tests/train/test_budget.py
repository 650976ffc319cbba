"""How long a training is, how its learning rate falls, and what else a step is given."""

from __future__ import annotations

import math
import time
from collections.abc import Generator
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import pytest
import torch
from diffusers import DDIMScheduler

from studio.engine.families import family_named
from studio.errors import StudioError
from studio.home import training_folder
from studio.library import Library
from studio.train import budget, loop, resolve, train
from studio.train.budget import Budget
from studio.train.data import Order, mixed
from studio.train.events import TrainProgress
from studio.train.prepare import prepare
from studio.train.step import Stepper
from tests.support import train_tiny


@pytest.fixture
def folder(studio_home: Path, tmp_path: Path) -> Path:
    train_tiny.base(studio_home)
    return train_tiny.pictures(tmp_path / "pictures")


def kept(name: str = "mine") -> dict:
    return torch.load(training_folder(name) / "checkpoint.pt", weights_only=True)


@pytest.fixture
def clock(monkeypatch: pytest.MonkeyPatch) -> SimpleNamespace:
    """A clock that moves by a second a step, two for what comes before, three for a sample."""
    now = SimpleNamespace(seconds=0.0)
    threads = torch.get_num_threads()
    faked = SimpleNamespace(
        monotonic=lambda: now.seconds, process_time=lambda: now.seconds * threads
    )
    monkeypatch.setattr(budget, "time", faked)

    def after(place: Any, name: str, seconds: float) -> None:
        whole = getattr(place, name)

        def slow(*args: Any, **options: Any) -> Any:
            now.seconds += seconds
            return whole(*args, **options)

        monkeypatch.setattr(place, name, slow)

    after(loop, "prepare", 2.0)
    after(Stepper, "__call__", 1.0)
    after(loop.samples, "make", 3.0)
    return now


def test_minutes_end_the_whole_run_and_more_of_them_go_on(
    folder: Path, clock: SimpleNamespace
) -> None:
    config = train_tiny.config(folder, steps=None, minutes=0.1)
    events = train_tiny.run(config)
    assert [loss.step for loss in train_tiny.losses_of(events)] == [1, 2, 3, 4]
    progress = [e for e in events if isinstance(e, TrainProgress) and e.stage == "training"]
    assert progress[-1].steps == 4 and progress[-1].seconds_left == 0
    assert kept()["seconds"] == 6.0
    more = train_tiny.run(config.model_copy(update={"minutes": 0.2}), resume=True)
    assert [loss.step for loss in train_tiny.losses_of(more)] == [5, 6, 7, 8]  # it loads again


def test_samples_count_and_waiting_does_not(folder: Path, clock: SimpleNamespace) -> None:
    config = train_tiny.config(folder, steps=None, minutes=0.15, sample_every=2, sample_steps=1)
    found = []
    for event in train(config, device="cpu"):
        found.append(event)
        clock.seconds += 1000.0  # a generation that goes first
    assert len(train_tiny.losses_of(found)) == 4  # 2 + 2 steps + 3 + 2 steps


def test_a_cpus_other_work_shortens_no_training(folder: Path) -> None:
    config = train_tiny.config(folder, minutes=1.0)
    accelerator = SimpleNamespace(device=torch.device("cpu"), num_processes=1)
    one = budget.Budget(config, accelerator)

    def waiting() -> Generator[Any, None, None]:
        with one.step():
            time.sleep(0.3)  # as if others had the processor
        yield None

    list(one.timed(waiting()))
    assert one.seconds < 0.15


def test_steps_end_a_training_that_has_minutes_left(folder: Path, clock: SimpleNamespace) -> None:
    events = train_tiny.run(train_tiny.config(folder, steps=2, minutes=1.0))
    assert len(train_tiny.losses_of(events)) == 2


def test_the_learning_rate_rises_and_falls(folder: Path) -> None:
    config = train_tiny.config(folder, "lora+ti", steps=4, rate_schedule="cosine", warmup=2)
    train_tiny.run(config)
    last = 0.5 * (1 + math.cos(math.pi * 3 / 4))  # of the fourth step, warm by then
    groups = kept()["optimizer"]["param_groups"]
    assert [g["lr"] for g in groups] == pytest.approx(
        [last * config.rate, last * config.token_rate]
    )
    rates = [Budget(config, None).rate(done) for done in range(4)]
    whole = [0.5 * (1 + math.cos(math.pi * done / 4)) for done in range(4)]
    assert rates == pytest.approx([0.5 * whole[0], *whole[1:]])


def test_a_falling_rate_is_resumed_to_the_bit(folder: Path) -> None:
    config = train_tiny.config(folder, steps=4, name="whole", rate_schedule="cosine", warmup=2)
    whole = train_tiny.losses_of(train_tiny.run(config))
    halves = config.model_copy(update={"name": "halves"})
    running = train(halves, device="cpu")
    first = []
    for event in running:
        first.append(event)
        if isinstance(event, TrainProgress) and event.step == 2:
            break
    running.close()
    rest = train_tiny.run(halves, resume=True)
    assert train_tiny.losses_of(first) + train_tiny.losses_of(rest) == whole


def test_captions_are_dropped_for_the_empty_text(folder: Path) -> None:
    events = train_tiny.run(
        train_tiny.config(folder, steps=1, caption_dropout=0.9999, seed=5, time_power=1.0, rank=2)
    )
    entry = Library()["tiny"]
    family, cpu = family_named(entry.family), torch.device("cpu")
    unet = family.load_network(entry, cpu, torch.float32)
    text = family.load_text(entry, cpu, torch.float32)
    vae = family.load_vae(entry, cpu, torch.float32)
    indices = Order([(8, 8)] * 4, 2, 5).indices(0)
    generator = torch.Generator().manual_seed(mixed(5, 2, 0))
    of_latent, noise = (torch.randn((2, 4, 8, 8), generator=generator) for _ in range(2))
    times = (1000 * torch.rand(2, generator=generator, dtype=torch.float64)).long()
    pixels = torch.stack([_pixels(folder / list(train_tiny.CAPTIONS)[i]) for i in indices])
    with torch.no_grad():
        moments = vae.encode(pixels).latent_dist
        clean = (moments.mean + moments.std * of_latent) * vae.config.scaling_factor
        scheduler = DDIMScheduler.from_pretrained(Path(entry.path) / "scheduler")
        noisy = scheduler.add_noise(clean, noise, times)
        nothing = family.encode_text(text, ["", ""])
        told = family.encode_text(text, [train_tiny.CAPTIONS[f"{i}.png"] for i in indices])
        errors = [
            float(torch.nn.functional.mse_loss(unet(noisy, times, states).sample, noise))
            for states in (nothing, told)
        ]
    assert train_tiny.losses_of(events)[0].mse == pytest.approx(errors[0], rel=1e-5)
    assert errors[0] != pytest.approx(errors[1], rel=1e-4)


def _pixels(path: Path) -> torch.Tensor:
    import numpy as np
    from PIL import Image

    array = np.asarray(Image.open(path).convert("RGB")).astype(np.float32)
    return torch.from_numpy(array / 127.5 - 1).permute(2, 0, 1)


def test_a_share_of_captions_is_dropped(folder: Path) -> None:
    from studio.train.machine import accelerator_for, release
    from studio.train.step import NO_CAPTION, OF_TARGET, Stepper

    config = train_tiny.config(folder, batch=4, caption_dropout=0.25)
    accelerator = accelerator_for(config, "cpu")
    try:
        events = prepare(config, Library(), accelerator, resume=False)
        while True:
            try:
                next(events)
            except StopIteration as ended:
                job = ended.value
                break
        stepper = Stepper(config, job, accelerator)
        batches = [
            stepper.batch(job.pictures, stepper.order, n, OF_TARGET).captions for n in range(200)
        ]
    finally:
        release(accelerator)
    share = sum(caption is NO_CAPTION for batch in batches for caption in batch) / 800
    assert 0.2 < share < 0.3  # three standard deviations


@pytest.mark.parametrize(
    "changes, message",
    [
        (
            {"method": "concept", "caption_dropout": 0.1},
            "caption_dropout: a concept network has no",
        ),
        ({"method": "ti", "caption_dropout": 0.1, "pdloss": 0.1}, "caption_dropout: PDLoss reads"),
        ({"minutes": 0}, "minutes: .* got 0"),
        ({"rate_schedule": "linear"}, "rate_schedule: .* got 'linear'"),
    ],
)
def test_settings_are_checked_by_name(folder: Path, changes: dict, message: str) -> None:
    given = {**train_tiny.settings(folder), "superclass": "ghost", **changes}
    with pytest.raises(StudioError, match=message):
        resolve(given, Library())


@pytest.mark.parametrize("method", ["concept", "lora"])
def test_bf16_on_a_cpu_is_close_to_float32_and_keeps_full_weights(
    folder: Path, method: str
) -> None:
    config = train_tiny.config(folder, method, steps=2, precision="bf16", name="half")
    half = train_tiny.run(config)
    whole = train_tiny.run(config.model_copy(update={"precision": "no", "name": "whole"}))
    for one, other in zip(train_tiny.losses_of(half), train_tiny.losses_of(whole), strict=True):
        assert one.total == pytest.approx(other.total, rel=0.05) and one.total != other.total
    assert all(weight.dtype == torch.float32 for weight in kept("half")["trained"].values())


def test_the_second_moments_decay_is_adamws(folder: Path) -> None:
    train_tiny.run(train_tiny.config(folder, steps=1, beta2=0.9))
    assert kept()["optimizer"]["param_groups"][0]["betas"] == (0.9, 0.9)
    assert kept()["optimizer"]["param_groups"][0]["fused"]
