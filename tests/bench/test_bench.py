"""The benchmark's counts and arithmetic; never its times."""

from __future__ import annotations

import json
import sys
import time
from pathlib import Path

import pytest
import torch

from studio.bench import (
    counting,
    guard,
    memory,
    parts,
    report,
    suite,
    variants,
)
from studio.bench.rounds import Case, Ratio, interleave, ratio
from studio.bench.scene import Scene
from studio.errors import StudioError
from tests.support.benchmark import STEPS, Counter


def test_the_evaluations_of_every_run(result: dict) -> None:
    each = {name: number / STEPS for name, number in result["evaluations"].items()}
    assert each == {
        "cfg": 2,
        "bare 2": 2,
        "diffusers cfg": 2,
        "cfg, exact": 2,
        "bare 1+1": 2,
        "3 prompts": 4,
        "3 prompts and idle rows": 4,
        "composable 3 prompts": 4,
        "bare 4": 4,
        "lora, cfg": 2,
        "lora, omega 0.4": 2,
        "8 rows": 9,
        "algorithm 1, 8 rows": 9,
        "bare 9": 9,
    }


def test_what_is_compared_computes_the_same_sum(result: dict) -> None:
    assert result["agreement"].keys() == {
        "cfg / diffusers cfg",
        "cfg / cfg, exact",
        "3 prompts / composable 3 prompts",
        "8 rows / algorithm 1, 8 rows",
    }
    assert all(0 <= apart < 1e-4 for apart in result["agreement"].values())


def test_every_key_of_the_table_is_there(result: dict, scene: Scene) -> None:
    keys = {
        "optimised_vs_bare",
        "exact_vs_bare",
        "vs_diffusers_cfg",
        "vs_composable",
        "omega_vs_cfg",
        "rows8_vs_loop",
        "idle_row",
    }
    assert result["ratios"].keys() == keys
    assert memory.measure(scene).keys() == {"memory_lora_row", "memory_base_row"}
    assert json.loads(json.dumps(result)) == result
    text = report.markdown(result)
    assert all(f"| `{key}` |" in text for key in keys)
    assert text.count("\n| 8 rows | 18 |") == 1


def test_batches_are_what_the_engine_says_they_are(scene: Scene) -> None:
    def batches(run) -> list[int]:  # noqa: ANN001
        with counting.evaluations(scene.network) as seen:
            run()
        return seen

    assert batches(scene.engine(scene.rows(3))) == [4] * STEPS
    assert batches(scene.engine(scene.rows(3), exact=True)) == [1] * 4 * STEPS
    assert batches(scene.engine(scene.lora_rows(), omega=0.4)) == [2] * STEPS
    assert batches(scene.loop(3)) == [1] * 4 * STEPS
    assert batches(scene.diffusers()) == [2] * STEPS


def test_memory_of_a_row_is_its_own(scene: Scene) -> None:
    found = memory.measure(scene)
    network = sum(p.numel() * p.element_size() for p in scene.network.parameters())
    lora = found["memory_lora_row"]["aim"]
    assert lora == sum(
        t.numel() * 4 for t in scene.loader.adapter("base/lora", "base", "base").tensors()
    )
    assert 0 < found["memory_base_row"]["bytes"] < 200_000_000
    # a copy of the network or of its adapted weights would be more than this
    assert lora <= found["memory_lora_row"]["bytes"] < lora + network / 4


def test_live_bytes_are_counted() -> None:
    def work() -> None:
        first = torch.ones(1000)  # 4000 bytes
        second = first + 1  # 8000 alive
        del first
        third = second.view(10, 100).t()  # no new bytes
        third.add_(1)
        torch.zeros(500)  # 6000

    assert counting.peak_bytes(work, torch.device("cpu")) == 8000
    assert counting.peak_bytes(lambda: None, torch.device("cpu")) == 0


def test_rounds_are_interleaved_and_reversed() -> None:
    order: list[str] = []
    cases = {name: Case(lambda n=name: order.append(n)) for name in "abc"}
    seconds = interleave(cases, 3, Counter())
    assert "".join(order) == "abc" + "abc" + "cba" + "abc"
    assert seconds == {"a": [1, 6, 7], "b": [2, 5, 8], "c": [3, 4, 9]}


def test_ratios_are_paired_by_round() -> None:
    assert ratio([2, 20, 200], [1, 10, 100]) == Ratio(2.0, 2.0, 2.0)
    assert ratio([1, 2, 3, 4, 5], [1] * 5) == Ratio(3, 2, 4)
    assert ratio([3], [2]) == Ratio(1.5, 1.5, 1.5)
    row = suite.TABLE["omega_vs_cfg"]
    verdicts = [suite.judged(Ratio(m, m, m), row)["verdict"] for m in (1.01, 1.05, 1.06)]
    assert verdicts == ["aim met", "acceptable", "not acceptable"]


def test_variants_change_rounding_only(scene: Scene) -> None:
    found = variants.measure(scene, 1, Counter())
    assert found.keys() == {"channels_last_vs_contiguous", "bfloat16_vs_float32"}
    assert found["channels_last_vs_contiguous"]["error"] < 1e-5
    assert 1e-4 < found["bfloat16_vs_float32"]["error"] < 0.1
    assert next(scene.network.parameters()).dtype == torch.float32


def test_what_cannot_run_here_is_left_out_by_name(
    scene: Scene, monkeypatch: pytest.MonkeyPatch
) -> None:
    failed: dict[str, str] = {}
    cuda = type("Loader", (), {"device": torch.device("cuda")})()
    tried = ("_against", "_precision", "_buckets")
    for name in tried:
        monkeypatch.setattr(variants, name, lambda *_: {"median": 1.0})
    monkeypatch.setattr(variants, "_against", lambda *a: a[-1](scene.network) and {"median": 2.0})
    broken = StudioError("xformers cannot be used here (no module)\nmore", field="x")

    def missing(_: object) -> None:
        raise broken

    monkeypatch.setattr(variants, "_xformers", missing)
    monkeypatch.setattr(variants, "_channels_last", lambda _: True)
    monkeypatch.setattr(variants, "_compiled", lambda _: time.sleep(60))
    kept: list[set[str]] = []
    shown = type("Scene", (), {"loader": cuda})()
    found = variants.measure(
        shown, 1, Counter(), limit=4, failed=failed, keep=lambda f: kept.append(set(f))
    )
    assert {*found} == {
        "channels_last_vs_contiguous",
        "float16_vs_float32",
        *(f"buckets_vs_any_size_{n}" for n in (3, 5, 7, 9)),
    }
    assert "no module" in failed["xformers_vs_sdpa"] and "\n" not in failed["xformers_vs_sdpa"]
    assert failed["compiled_vs_eager"].startswith("stopped after")
    assert kept[-1] == {*found}


def test_a_run_that_fails_takes_its_comparisons_with_it(
    scene: Scene, monkeypatch: pytest.MonkeyPatch
) -> None:
    def broken() -> torch.Tensor:
        raise RuntimeError("no kernel")

    monkeypatch.setattr(Scene, "diffusers", lambda self: broken)
    failed: dict[str, str] = {}
    found = suite.measure(scene, 5, Counter(), limit=0, failed=failed)
    assert failed == {"diffusers cfg": "RuntimeError: no kernel"}
    assert "vs_diffusers_cfg" not in found["ratios"] and "idle_row" in found["ratios"]
    shown = {"machine": {}, "setup": {}, **found, "failed": failed}
    assert "Left out: `diffusers cfg` (RuntimeError: no kernel)." in report.markdown(shown)


def test_work_is_stopped_at_its_limit() -> None:
    failed: dict[str, str] = {}

    def wrapped() -> None:
        try:
            time.sleep(30)
        except guard.TookTooLong as error:
            raise RuntimeError("the compiler failed") from error

    assert guard.attempt("slow", failed, wrapped, 0.05) is None
    assert failed == {"slow": "stopped after 0 s"}
    assert guard.attempt("quick", failed, lambda: 3, 5) == 3 and "quick" not in failed


def test_each_part_has_a_process_and_a_limit_of_its_own(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    script = tmp_path / "python"
    script.write_text(
        f"#!{sys.executable} -IS\nimport json, sys, time\n"
        "path = sys.argv[sys.argv.index('--output') + 1]\n"
        "json.dump({'argv': sys.argv[3:]}, open(path, 'w'))\n"
        "time.sleep(60 if '--quality' in sys.argv else 0)\n"
        "sys.exit(3 if '--training' in sys.argv else 0)\n"
    )
    script.chmod(0o755)
    monkeypatch.setattr(sys, "executable", str(script))
    monkeypatch.setattr(parts, "LEAST", 0.5)
    wanted = (
        parts.Part("hangs", ("--quality",), 5),
        parts.Part("fails", ("--training",), 30, 9),
        parts.Part("runs", (), 90, 65),
    )
    path, told = tmp_path / "all.json", []
    found = parts.run("cpu", None, told.append, parts.save(path), wanted)
    assert json.loads(path.read_text()) == found
    assert told == ["== hangs", "== fails", "== runs"] and {*found["took"]} == {*found["parts"]}
    assert found["failed"] == {"hangs": parts.KILLED.format(5), "fails": "ended with code 3"}
    assert {*found["parts"]} == {"hangs", "fails", "runs"}
    assert found["parts"]["runs"]["argv"][-4:] == ["--device", "cpu", "--seconds", "65"]
    late = parts.run("cpu", 0.1, parts=wanted)
    assert late["failed"] == dict.fromkeys(("hangs", "fails", "runs"), "no time was left")


def test_the_machine_is_named_without_naming_the_host(result: dict) -> None:
    import platform

    told = result["machine"]
    assert (
        told["cpu"]
        and told["cores"] >= 1
        and torch.__version__.startswith(told["torch"].split("+")[0])
    )
    assert platform.node() not in json.dumps(told)
