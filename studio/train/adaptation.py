"""What every method shares: parameter groups, and the word that some of them learn."""

from __future__ import annotations

from abc import ABC, abstractmethod
from pathlib import Path
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from torch import Tensor

    from studio.train.base import Base
    from studio.train.settings import TrainConfig
    from studio.train.trainee import Trainee

EMBEDDING_FILE = "learned_embeds.safetensors"


class Adaptation(ABC):
    """One method on one base.

    Attributes:
        trainee: what predicts, and holds what trains.
        features: image embeddings of the training's pictures (pictures, width), where they are read.
    """

    trainee: Trainee
    features: Tensor | None = None

    @abstractmethod
    def save(self, folder: Path) -> None:
        """Write the result's files into ``folder``."""

    def groups(self, config: TrainConfig) -> list[dict[str, Any]]:
        """Parameter groups: the word's vectors at their own rate and without decay."""
        rest, word = [], []
        for name, parameter in self.trainee.trained().items():
            (word if name == "vectors" else rest).append(parameter)
        groups: list[dict[str, Any]] = []
        if rest:
            groups.append({"params": rest, "lr": config.rate, "weight_decay": config.weight_decay})
        if word:
            groups.append({"params": word, "lr": config.token_rate, "weight_decay": 0.0})
        return groups


def without_word(config: TrainConfig, base: Base) -> Trainee:
    """A trainee on the base's network, whose captions hold nothing that is learned."""
    from studio.train.trainee import Trainee

    checkpointing(config, base.network)
    return Trainee(base.network, base.family, base.reader())


def with_word(config: TrainConfig, base: Base) -> Trainee:
    """A trainee on the base's network that learns the word's vectors."""
    from studio.train.trainee import Trainee

    checkpointing(config, base.network)
    encoder = base.reader(config.word, config.vectors)
    return Trainee(base.network, base.family, encoder, config.word, first_vectors(config, base))


def first_vectors(config: TrainConfig, base: Base) -> Tensor:
    """The superclass's own vector for every learned one (Textual Inversion, Sec. 4)."""
    ids = base.tokenizer(config.superclass, add_special_tokens=False).input_ids
    table = base.text.get_input_embeddings().weight.detach()
    return table[ids].float().mean(0, keepdim=True).repeat(config.vectors, 1)


def save_word(trainee: Trainee, folder: Path) -> None:
    """The trainee's learned vectors, as an embedding."""
    assert trainee.vectors is not None
    save_vectors(trainee.word, trainee.vectors, folder)


def save_vectors(word: str, vectors: Tensor, folder: Path) -> None:
    """diffusers' textual-inversion file: the word → (vectors, width)."""
    from safetensors.torch import save_file

    folder.mkdir(parents=True, exist_ok=True)
    save_file({word: vectors.detach().float().cpu().contiguous()}, folder / EMBEDDING_FILE)


def pipeline_of(base: Base) -> Any:
    """diffusers' pipeline of the base's family, whose file formats results are in."""
    import diffusers

    return getattr(diffusers, base.family.record.pipelines[0])


def checkpointing(config: TrainConfig, network: Any) -> None:
    """Less memory and more time, where the settings ask for it."""
    if config.gradient_checkpointing:
        network.enable_gradient_checkpointing()
        network.train()
