"""Scores under networks that are fetched: small random ones against transformers, torchvision and numpy."""

from __future__ import annotations

import sys
from pathlib import Path
from types import SimpleNamespace

import numpy as np
import pytest
import torch
from PIL import Image

from studio.errors import MissingModel, StudioError
from studio.metrics import METRICS, Scored, faces, measure
from studio.metrics.backbones import Backbones
from studio.metrics.scores import unit
from tests.support.studio_page import needs_starter


@pytest.fixture
def paths(tmp_path: Path, studio_home: Path) -> list[Path]:
    rng = np.random.default_rng(0)
    found = []
    for i in range(5):
        found.append(tmp_path / f"{i}.png")
        Image.fromarray(rng.integers(0, 256, (32, 32, 3), np.uint8)).save(found[-1])
    return found


def _each(name: str, scored: Scored) -> np.ndarray:
    values = measure(name, scored)[1]
    assert values is not None
    return values


def test_dino_i_is_the_cosine_of_class_tokens(paths: list[Path], studio_home: Path) -> None:
    from transformers import BitImageProcessor, Dinov2Config, Dinov2Model

    torch.manual_seed(0)
    config = Dinov2Config(
        hidden_size=16, num_hidden_layers=2, num_attention_heads=2, image_size=28, patch_size=14
    )
    model, folder = Dinov2Model(config).eval(), studio_home / "models" / "a" / "dino"
    processor = BitImageProcessor(size={"shortest_edge": 28}, crop_size={"height": 28, "width": 28})
    model.save_pretrained(folder)
    processor.save_pretrained(folder)
    images = [Image.open(path) for path in paths]
    with torch.no_grad():
        pixels = processor(images=images, return_tensors="pt")["pixel_values"]
        tokens = torch.nn.functional.normalize(model(pixels).last_hidden_state[:, 0], dim=1)
    expected = (tokens[:3] @ tokens[3:].T).mean(1)
    scored = Scored(paths[:3], references=paths[3:], backbones=Backbones(vision="a/dino"))
    assert _each("vision-i", scored) == pytest.approx(expected.numpy(), abs=1e-5)


def test_blip_t_is_transformers_own_score(paths: list[Path], studio_home: Path) -> None:
    from transformers import (
        BertTokenizerFast,
        BlipConfig,
        BlipForImageTextRetrieval,
        BlipImageProcessor,
    )

    torch.manual_seed(0)
    small = {"hidden_size": 16, "num_hidden_layers": 1, "num_attention_heads": 2}
    config = BlipConfig(
        text_config={**small, "intermediate_size": 16, "vocab_size": 12, "encoder_hidden_size": 16},
        vision_config={**small, "intermediate_size": 16, "image_size": 32, "patch_size": 16},
        image_text_hidden_size=8,
    )
    model, folder = BlipForImageTextRetrieval(config).eval(), studio_home / "models" / "a" / "blip"
    folder.mkdir(parents=True)
    words = ["[PAD]", "[UNK]", "[CLS]", "[SEP]", "[MASK]", "a", "red", "blue", "cat", "dog"]
    (folder / "vocab.txt").write_text("\n".join(words))
    tokenizer = BertTokenizerFast(vocab={word: i for i, word in enumerate(words)})
    processor = BlipImageProcessor(size={"height": 32, "width": 32})
    for part in (model, tokenizer, processor):
        part.save_pretrained(folder)
    prompts = ["a red cat", "a dog", "a blue dog", "a cat", "red"]
    tokens = tokenizer(prompts, padding=True, return_tensors="pt")
    pixels = processor(images=[Image.open(path) for path in paths], return_tensors="pt")
    with torch.no_grad():
        theirs = model(
            tokens["input_ids"],
            pixels["pixel_values"],
            use_itm_head=False,
            attention_mask=tokens["attention_mask"],
        ).itm_score.diagonal()
    found = _each("blip-t", Scored(paths, prompts, backbones=Backbones(blip="a/blip")))
    assert np.std(found) > 0 and found == pytest.approx(theirs.numpy(), abs=1e-5)


@needs_starter
def test_clip_direction_by_hand(paths: list[Path]) -> None:
    prompts, backbones = ["a moon in flat style", "a red cat", "a cat"], Backbones()
    scored = Scored(paths[:3], prompts, references=paths[3:], source="a cat", backbones=backbones)
    found = METRICS["clip-direction"].each
    assert found is not None
    seen = unit(backbones.pictures("starter/clip", paths))
    said = unit(backbones.texts("starter/clip", [*prompts, "a cat"]))
    for i, value in enumerate(found(scored)):
        moved, wanted = seen[i] - (seen[3] + seen[4]) / 2, said[i] - said[3]
        length = np.linalg.norm(moved) * np.linalg.norm(wanted)
        assert value == pytest.approx(moved @ wanted / length if i < 2 else 0.0, abs=1e-6)


def test_lpips_is_the_papers_sum_over_layers() -> None:
    import torchmetrics
    from torchvision.models.vgg import cfgs, make_layers

    from studio.metrics.lpips import _distance, build

    torch.manual_seed(0)
    layers = make_layers(cfgs["D"])
    network = build({f"features.{key}": value for key, value in layers.state_dict().items()})
    one, two = torch.rand(2, 1, 3, 32, 32) * 2 - 1
    folder = Path(torchmetrics.__file__).parent / "functional" / "image" / "lpips_models"
    linear = torch.load(folder / "vgg.pth", map_location="cpu", weights_only=True)
    shift = torch.tensor([-0.030, -0.088, -0.188]).view(3, 1, 1)
    scale = torch.tensor([0.458, 0.448, 0.450]).view(3, 1, 1)
    total, states = 0.0, [(image - shift) / scale for image in (one, two)]
    with torch.no_grad():
        for index, layer in enumerate(layers):
            states = [layer(state) for state in states]
            if index in (3, 8, 15, 22, 29):  # relu1_2, 2_2, 3_3, 4_3, 5_3
                level = (3, 8, 15, 22, 29).index(index)
                first, second = (state / state.norm(dim=1, keepdim=True) for state in states)
                weights = linear[f"lin{level}.model.1.weight"]
                total += float((weights * (first - second) ** 2).sum(1).mean())
    assert _distance(network, one, two) == pytest.approx(total, rel=1e-5)
    assert _distance(network, one, one) == 0


def test_faces_are_compared_by_the_largest_and_left_out_where_there_is_none(
    paths: list[Path], monkeypatch: pytest.MonkeyPatch
) -> None:
    shown = {
        0: [([0, 0, 4, 4], [0.0, 1.0]), ([0, 0, 9, 9], [1.0, 0.0])],
        1: [],
        2: [([0, 0, 2, 2], [0.6, 0.8])],
        3: [([0, 0, 2, 2], [1.0, 0.0])],
        4: [([0, 0, 2, 2], [0.0, 1.0])],
    }
    numbers = {np.asarray(Image.open(path)).tobytes(): i for i, path in enumerate(paths)}

    class Recogniser:
        def get(self, picture: np.ndarray) -> list[SimpleNamespace]:
            found = shown[numbers[np.ascontiguousarray(picture[..., ::-1]).tobytes()]]
            return [SimpleNamespace(bbox=b, normed_embedding=np.array(e)) for b, e in found]

    monkeypatch.setattr(faces, "_recogniser", Recogniser)
    scored = Scored(paths[:3], references=paths[3:])
    interval, values = measure("face-sim", scored)
    assert values is not None and np.isnan(values[1]) and interval.n == 2
    assert values[[0, 2]] == pytest.approx([0.5, 0.7])
    with pytest.raises(StudioError, match="face-sim: no face is found in the references"):
        measure("face-sim", Scored(paths[:3], references=paths[1:2]))


def test_depth_and_pose_are_compared_with_the_control_map(
    paths: list[Path], monkeypatch: pytest.MonkeyPatch
) -> None:
    from studio.metrics import control

    def own(kind: object, image: Image.Image, size: tuple[int, int]) -> Image.Image:
        return image  # the picture is its own map

    monkeypatch.setattr(control, "prepare", own)
    scored = Scored(paths[:2], controls=[paths[0], paths[1]])
    assert _each("depth-error", scored) == pytest.approx([0, 0])
    assert _each("pose-f1", scored) == pytest.approx([1, 1])
    grey = [paths[0].with_name(f"grey-{value}.png") for value in (0, 51, 204)]
    for path, value in zip(grey, (0, 51, 204), strict=True):
        Image.new("RGB", (16, 16), (value,) * 3).save(path)
    scored = Scored(grey, controls=[grey[1], grey[1], grey[0]])
    assert _each("depth-error", scored) == pytest.approx([0.2, 0, 0.8])
    assert _each("pose-f1", scored) == pytest.approx([0, 1, 0])


def test_what_is_not_here_is_named_with_how_to_get_it(
    paths: list[Path], monkeypatch: pytest.MonkeyPatch
) -> None:
    scored = Scored(paths, ["a cat"] * 5, references=paths, controls=paths)
    with pytest.raises(MissingModel, match="studio download Salesforce/blip-itm-base-coco"):
        measure("blip-t", scored)
    with pytest.raises(MissingModel, match=r"studio download timm/vgg16\.tv_in1k"):
        measure("lpips", scored)
    faces._recogniser.cache_clear()
    monkeypatch.setitem(sys.modules, "insightface", None)
    monkeypatch.setattr("importlib.util.find_spec", lambda name: None)
    with pytest.raises(MissingModel, match=r"face-sim: needs a package: .*requirements-faces"):
        measure("face-sim", scored)
