"""The table of metrics: what each needs, and what every entry must hold to."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest
import torch
from PIL import Image

from studio.errors import MissingModel, StudioError
from studio.metrics import METRICS, Metric, Scored, measure
from studio.metrics.backbones import Backbones
from studio.metrics.judge import asked
from studio.metrics.table import HOW
from tests.support import REPOSITORY
from tests.support.studio_page import needs_starter

COLOURS = ["red", "blue", "white", "black", "green", "yellow", "gray", "orange"]


@pytest.fixture
def scored(tmp_path: Path, studio_home: Path) -> Scored:
    rng = np.random.default_rng(0)
    paths = []
    for i in range(8):
        path = tmp_path / f"{i}.png"
        Image.fromarray(rng.integers(0, 256, (64, 64, 3), np.uint8)).save(path)
        paths.append(path)
    prompts = [f"a cat face in flat style on a {colour} background" for colour in COLOURS[:4]] * 2
    return Scored(
        paths,
        prompts,
        [0] * 4 + [1] * 4,
        paths[:5],
        paths,
        few=True,
        source="a cat face",
        drifts=[i / 8 for i in range(8)],
    )


# Their networks are not shipped; tests/metrics/test_networks.py feeds them small ones.
FETCHED = ("blip-t", "lpips", "face-sim", "depth-error", "pose-f1")


@needs_starter
@pytest.mark.parametrize("name", [name for name in METRICS if name not in FETCHED])
def test_every_metric_is_a_number_with_an_interval(name: str, scored: Scored) -> None:
    metric = METRICS[name]
    assert metric.help and metric.source and metric.values and metric.better in ("higher", "lower")
    interval, values = measure(name, scored)
    assert interval.low <= interval.mean <= interval.high and interval.n <= 8
    if values is not None:
        assert values.shape == (8,)
        order = [3, 1, 0, 2, 7, 5, 6, 4]  # equal pictures have equal values, wherever they stand
        shuffled = Scored(
            [scored.images[i] for i in order],
            [scored.prompts[i] for i in order],
            (),
            scored.references,
            [scored.controls[i] for i in order],
            few=True,
            source=scored.source,
            drifts=[scored.drifts[i] for i in order],
        )
        again = measure(name, shuffled)[1]
        assert again is not None and np.allclose(again, values[order], atol=1e-5, equal_nan=True)


@needs_starter
def test_gram_d_is_the_mean_of_the_distances_to_each_reference(scored: Scored) -> None:
    def maps(paths: Sequence[Path]) -> list[torch.Tensor]:
        found = np.concatenate(
            list(scored.backbones.batches(scored.backbones.vision, paths, "map"))
        )
        return list(torch.from_numpy(found).double().flatten(2))

    def statistics(rows: torch.Tensor) -> torch.Tensor:
        return torch.einsum("ip,jp->ij", rows, rows) / rows.numel()

    wanted = [statistics(rows) for rows in maps(scored.references)]
    expected = [
        np.mean([float((statistics(rows) - one).square().sum().sqrt()) for one in wanted])
        for rows in maps(scored.images)
    ]
    values = measure("gram-d", scored)[1]
    assert values is not None and np.allclose(values, expected, rtol=1e-6)


@pytest.mark.parametrize("name", list(METRICS))
def test_what_a_metric_needs_is_named(name: str, scored: Scored) -> None:
    for need in METRICS[name].needs:
        bare = Scored(scored.images)
        with pytest.raises(StudioError, match=rf"{name}: needs {METRICS[name].needs[0]}"):
            measure(name, bare)
        assert need in HOW
    with pytest.raises(StudioError, match="images: there is no picture"):
        measure(name, Scored([]))


@needs_starter
def test_features_are_computed_once_and_kept_by_content(scored: Scored, studio_home: Path) -> None:
    first = scored.backbones.pictures("starter/clip", scored.images)
    kept = list((studio_home / "cache" / "features").rglob("*.npy"))
    assert len(kept) == 8
    fresh = Backbones()
    assert np.array_equal(fresh.pictures("starter/clip", scored.images[::-1]), first[::-1])
    assert not fresh._networks  # nothing was loaded


@needs_starter
def test_the_starter_clip_is_transformers_own(scored: Scored) -> None:
    import torch
    from transformers import CLIPImageProcessor, CLIPModel

    from studio.home import ASSETS

    folder = ASSETS / "starter" / "clip"
    model = CLIPModel.from_pretrained(folder).float().eval()
    pictures = [Image.open(path).convert("RGB") for path in scored.images]
    pixels = CLIPImageProcessor.from_pretrained(folder)(images=pictures, return_tensors="pt")
    with torch.no_grad():
        theirs = model.get_image_features(**pixels)
    theirs = getattr(theirs, "pooler_output", theirs)
    ours = scored.backbones.pictures("starter/clip", scored.images)
    assert np.allclose(ours, theirs.numpy(), atol=1e-5)


def test_too_few_pictures_for_fid_and_missing_networks_are_named(scored: Scored) -> None:
    scored.few = False
    with pytest.raises(StudioError, match=r"fid: 8 pictures and 5 references .* take kid"):
        measure("fid", scored)
    with pytest.raises(MissingModel, match="studio download nobody/nothing"):
        Backbones().pictures("nobody/nothing", scored.images)
    with pytest.raises(StudioError, match="metrics: got 'clip-x'; a metric is one of clip-t"):
        measure("clip-x", scored)


def test_attributes_are_read_from_a_prompt() -> None:
    names = ["apple", "hot dog", "dog face", "dog", "orange"]
    assert asked("a hot dog in flat style", names, "content") == "hot dog"
    assert asked("a dogged face", names, "content") is None
    assert asked("a cat on an orange background", ["orange", "red"], "background") == "orange"
    assert (
        asked("an orange in flat style on a red background", ["orange", "red"], "background")
        == "red"
    )


def test_a_metric_from_outside_is_measured(scored: Scored) -> None:
    def brightness(given: Scored) -> np.ndarray:
        return np.array([np.asarray(Image.open(path)).mean() / 255 for path in given.images])

    METRICS.register(
        "brightness",
        Metric("brightness", "higher", "0 to 1", (), "Mean value.", "a test", each=brightness),
    )
    try:
        interval, values = measure("brightness", scored)
        assert values is not None and interval.mean == pytest.approx(values.mean())
    finally:
        METRICS.remove("brightness")


@needs_starter
def test_the_ends_of_a_set_scores_interval_are_values_that_it_can_have(scored: Scored) -> None:
    """A jackknife's own reach below the least variety that there is, and above the most."""
    scored.images = [*scored.images[:1] * 7, scored.images[1]]  # one seven times, and another
    scored.prompts = ()
    for name in ("diversity", "vendi"):
        found, _ = measure(name, scored)
        least, most = METRICS[name].bounds(scored)
        assert least <= found.low <= found.mean <= found.high <= most

    def all_apart(given: Scored) -> Callable[[np.ndarray], float]:
        return lambda rows: 8.0 if len(rows) == 8 else float(rows[0] + 4)

    stretched = replace(METRICS["vendi"], name="stretched", whole=all_apart)
    METRICS.register("stretched", stretched)
    try:
        assert measure("stretched", scored)[0].high == 8  # pictures of the one prompt that there is
    finally:
        METRICS.remove("stretched")


@pytest.mark.parametrize(
    ("values", "ends"),
    [
        ("0 to 1", (0, 1)),
        ("-1 to 1", (-1, 1)),
        ("0 and up", (0, np.inf)),
        ("about 0 and up, times 1000", (-np.inf, np.inf)),  # an unbiased one may be below
        ("about 0 to 1", (-np.inf, np.inf)),
        ("1 to the pictures of a prompt", (1, np.inf)),
        ("any number", (-np.inf, np.inf)),
    ],
)
def test_a_range_in_words_says_the_ends(values: str, ends: tuple[float, float]) -> None:
    assert Metric("a", "higher", values, (), "", "").bounds() == ends


def test_the_docs_list_every_metric() -> None:
    text = (REPOSITORY / "docs" / "evaluation.md").read_text(encoding="utf-8")
    for metric in METRICS.values():
        assert f"| `{metric.name}` | {metric.better} | {metric.values} |" in text
