"""The verb schema: the JSON Schema of presets."""

from __future__ import annotations

import argparse
import json
from typing import Any

from studio.preset import Preset


def add_verb(verbs: Any) -> None:
    """Declare the verb on argparse's subparsers."""
    verb = verbs.add_parser("schema", help="print the preset's JSON Schema")
    verb.set_defaults(run=schema)


def schema(options: argparse.Namespace) -> None:
    """The JSON Schema that presets are validated against."""
    del options
    print(json.dumps(Preset.model_json_schema(), ensure_ascii=False, indent=2))
