"""A sweep of two hundred pictures on a real Ray cluster of two nodes, one of which is lost on the way.

    OMP_NUM_THREADS=1 python -m tests.support.ray_sweep FOLDER

prints one JSON line: how many pictures there are on the cluster and in one process, which differ, which lines
of the sweep's record are missing or there twice, and what the command said. A command to be run by hand: it
takes minutes.
"""

from __future__ import annotations

import json
import subprocess
import sys
import time
from collections import Counter
from pathlib import Path

import numpy as np
from PIL import Image
from ray.cluster_utils import Cluster

from studio.preset import validate
from tests.support.ray_scenes import _node

AXES = ("--x", "omega=0:1:0.25", "--y", "rows.0.weight=1:10:1", "--seeds", "0-3")
PICTURES = 5 * 10 * 4
LOST_AFTER = 30  # pictures
PRESET = {
    "name": "swept",
    "base": "starter",
    "rows": [{"model": "starter/lora-hero", "prompt": "a hero on a blue background", "weight": 4}],
    "omega": 0.4,
    "sampler": {"steps": 3, "width": 128, "height": 128},
}


def main(folder: Path) -> int:
    """Both runs, and what is to be told of them; 0 where all is well."""
    folder.mkdir(parents=True, exist_ok=True)
    preset = folder / "preset.json"
    preset.write_text(validate(PRESET).to_json())
    alone, spread = folder / "alone", folder / "spread"
    began = time.monotonic()
    subprocess.run(_command(preset, alone), check=True, capture_output=True)
    in_process = time.monotonic() - began
    cluster = Cluster(True, head_node_args={**_node(), "include_dashboard": False})
    other = cluster.add_node(**_node())
    began = time.monotonic()
    running = subprocess.Popen(
        [*_command(preset, spread), "--workers", f"ray://{cluster.address}"],
        stderr=subprocess.PIPE,
        stdout=subprocess.DEVNULL,
        text=True,
    )
    lost_at = 0
    while running.poll() is None and not lost_at:
        if len(_pictures(spread)) >= LOST_AFTER:
            lost_at = len(_pictures(spread))
            cluster.remove_node(other)
        time.sleep(0.2)
    said = running.communicate()[1].splitlines()
    told = {
        "pictures": len(_pictures(spread)),
        "in one process": len(_pictures(alone)),
        "lost after": lost_at,
        "differ": _different(alone, spread),
        "record": _record(spread),
        "ended": running.returncode,
        "said": [line for line in said if "lost" in line],
        "seconds": [round(in_process), round(time.monotonic() - began)],
    }
    cluster.shutdown()
    print(json.dumps(told), flush=True)
    whole = told["pictures"] == told["in one process"] == PICTURES and lost_at
    return 0 if whole and not told["differ"] and not told["record"] and not told["ended"] else 1


def _command(preset: Path, out: Path) -> list[str]:
    return [sys.executable, "-m", "studio", "sweep", str(preset), *AXES, "--out", str(out)]


def _pictures(folder: Path) -> list[Path]:
    return sorted(folder.glob("*-seed*.png"))


def _different(first: Path, second: Path) -> list[str]:
    """Names of pictures that only one has, or whose pixels differ."""
    names = {path.name for path in (*_pictures(first), *_pictures(second))}
    return sorted(name for name in names if not _same(first / name, second / name))


def _same(first: Path, second: Path) -> bool:
    if not first.exists() or not second.exists():
        return False
    return np.array_equal(*(np.asarray(Image.open(path)) for path in (first, second)))


def _record(folder: Path) -> dict[str, int]:
    """Lines of the sweep's record by their picture, where it is not one for each."""
    (result,) = folder.glob("sweep-*.json")
    lines = Counter(cell["path"] for cell in json.loads(result.read_text())["cells"])
    names = {path.name for path in _pictures(folder)}
    return {name: lines[name] for name in names | set(lines) if lines[name] != 1}


if __name__ == "__main__":
    sys.exit(main(Path(sys.argv[1])))
