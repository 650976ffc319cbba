"""Networks that a row's control image goes through: ControlNets and their relatives, one record each."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

from studio.extensions import Table
from studio.library.families import FAMILIES, family_of_config
from studio.library.family import Config


@dataclass(frozen=True)
class ControlNetwork:
    """One form of such networks.

    Args:
        title: its name in the field.
        network: its class in diffusers, which a folder's config names.
        runs: what it adds to the denoising network, as ``module:function`` of
            :mod:`studio.engine.controls`.
        in_file: its config from the shapes of a lone file, as ``module:function``.
        family: the family that a folder's config is for, "" where it does not say.
        by_type: whether it is one network for several kinds of maps, and has to know which.
    """

    title: str
    network: str
    runs: str
    in_file: str
    family: Callable[[Config], str] = family_of_config
    by_type: bool = False


CONTROL_NETWORKS: Table[ControlNetwork] = Table("control network")
PLAIN = "controlnet"  # the form of an entry that names none


def form_of(config: Config) -> str:
    """The form of the network that a config is of; "" for none of them."""
    kind = config.get("_class_name")
    return next((name for name, one in CONTROL_NETWORKS.items() if one.network == kind), "")


def family_of_t2i(config: Config) -> str:
    """The family whose levels an adapter of this type has."""
    kind = config.get("adapter_type", "full_adapter")
    return next((name for name, family in FAMILIES.items() if kind in family.t2i_adapters), "")


_RUNS, _CONFIGS = "studio.engine.controls", "studio.engine.families.network_configs"
CONTROL_NETWORKS.register(
    PLAIN,
    ControlNetwork(
        "ControlNet",
        "ControlNetModel",
        f"{_RUNS}:controlnet",
        f"{_CONFIGS}:controlnet_config",
    ),
)
CONTROL_NETWORKS.register(
    "controlnet-union",
    ControlNetwork(
        "ControlNet Union",
        "ControlNetUnionModel",
        f"{_RUNS}:controlnet_union",
        f"{_CONFIGS}:controlnet_union_config",
        by_type=True,
    ),
)
CONTROL_NETWORKS.register(
    "t2i-adapter",
    ControlNetwork(
        "T2I-Adapter",
        "T2IAdapter",
        f"{_RUNS}:t2i_adapter",
        "studio.engine.families.t2i_adapter:config_in_file",
        family=family_of_t2i,
    ),
)
