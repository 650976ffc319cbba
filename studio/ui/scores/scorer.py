"""What scores a picture of the page gets, and where they are kept."""

from __future__ import annotations

import math
import threading
from collections import OrderedDict
from pathlib import Path
from typing import TYPE_CHECKING

from studio.errors import MissingModel, StudioError
from studio.history import History
from studio.preset import Preset
from studio.ui.history.moments import Moment
from studio.ui.library.models import library
from studio.ui.runs import Runs
from studio.ui.tradeoff.subject import subject_of

if TYPE_CHECKING:
    from studio.metrics import Scored
    from studio.metrics.backbones import Backbones

MOST_UNKEPT = 1000  # pictures
PATIENCE = 600.0  # seconds to wait until nothing is being made

Scores = dict[str, float]


class Scorer:
    """Scores pictures one at a time, when the queue is empty: nothing waits for a score."""

    def __init__(self, runs: Runs) -> None:
        self.runs = runs
        self._turn = threading.Lock()
        self._networks: dict[str, Backbones] = {}
        self._unkept: OrderedDict[str, Scores] = OrderedDict()  # of a disk that takes none

    def known(self, history: History, moment: Moment) -> Scores:
        """The scores that are kept with a picture; none where it has none."""
        try:
            return dict(history.get(moment.id).scores) or dict(self._unkept.get(moment.id, {}))
        except StudioError:
            return {}

    def score(self, history: History, moment: Moment) -> Scores:
        """A picture's scores, computed and kept; none where no network that is here fits."""
        with self._turn:
            if not self.runs.rest(PATIENCE):
                return {}
            found = self._scores(Path(moment.path), moment.preset())
        if found:
            try:
                history.mark([moment.id], scores=found)
            except StudioError:  # known as long as the program runs
                self._unkept[moment.id] = found
                if len(self._unkept) > MOST_UNKEPT:
                    self._unkept.popitem(last=False)
        return found

    def _scores(self, path: Path, preset: Preset) -> Scores:
        from studio.experiments.asked import text_of
        from studio.metrics import METRICS, Scored

        try:
            networks = self._fitting(preset)
        except MissingModel:
            return {}
        text, references = text_of(preset), _references(preset)
        prompts = [text] if text else []
        scored = Scored([path], prompts, [], references, backbones=networks)
        found = {}
        for name in self._names(scored):
            each = METRICS[name].each
            value = float(each(scored)[0]) if each else math.nan
            if math.isfinite(value):
                found[name] = round(value, 4)
        return found

    def _fitting(self, preset: Preset) -> Backbones:
        from studio.metrics.backbones import Backbones
        from studio.metrics.present import clip_for

        entry = library().get(preset.base)
        clip = clip_for(preset.base, entry.base if entry else "")
        if clip not in self._networks:
            self._networks[clip] = Backbones(clip)
        return self._networks[clip]

    @staticmethod
    def _names(scored: Scored) -> list[str]:
        from studio.metrics.backbones import STARTER_CLIP

        names = ["clip-t"] if scored.prompts else []
        names += ["clip-i"] if scored.references else []
        own = scored.backbones.clip == STARTER_CLIP
        return names + (["judge-attributes"] if own and scored.prompts else [])


def _references(preset: Preset) -> list[Path]:
    """Pictures of the subject, where a row is personalised and its pictures are here."""
    try:
        return list(subject_of(preset).pictures)
    except StudioError:
        return []
