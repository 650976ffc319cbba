"""A result as a table to read."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any


def markdown(result: Mapping[str, Any]) -> str:
    """The ratios, and the facts that they belong to, as Markdown."""
    machine = ", ".join(f"{key} {value}" for key, value in result["machine"].items())
    setup = ", ".join(f"{key} {value}" for key, value in result["setup"].items())
    lines = [
        f"Machine: {machine}.",
        "",
        f"Setup: {setup}.",
    ]
    if result["ratios"]:
        lines += [
            "",
            "| key | median | quartiles | aim | not acceptable | |",
            "|---|---|---|---|---|---|",
        ]
    for key, found in result["ratios"].items():
        if "bytes" in found:
            lines.append(f"| `{key}` | {found['bytes']:,} bytes | – | ≤ {found['aim']:,} | – | |")
            continue
        lines.append(
            f"| `{key}` | {found['median']:.3f} | {found['low']:.3f}–{found['high']:.3f} | "
            f"≤ {found['aim']:.2f} | > {found['limit']:.2f} | {found['verdict']} |"
        )
    if result["more"]:
        lines += ["", "| beside the table | median | quartiles |", "|---|---|---|"]
    for key, found in result["more"].items():
        if "median" in found:
            lines.append(
                f"| `{key}` | {found['median']:.3f} | {found['low']:.3f}–{found['high']:.3f} |"
            )
        else:
            values = ", ".join(f"{name} {value}" for name, value in found.items())
            lines.append(f"| `{key}` | {values} | |")
    if result["evaluations"]:
        lines += ["", "| run | evaluations | seconds (median) |", "|---|---|---|"]
    for name, number in result["evaluations"].items():
        lines.append(f"| {name} | {number} | {result['seconds'].get(name, '–')} |")
    lines += [f"\nLeft out: `{name}` ({why})." for name, why in result.get("failed", {}).items()]
    return "\n".join(lines) + "\n"
