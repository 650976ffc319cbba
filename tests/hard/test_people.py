"""What the crowd of `people` forgives, and what it does not."""

from __future__ import annotations

import json
import threading
import time
from collections import Counter
from concurrent.futures import CancelledError
from typing import Any

import gradio as gr
import gradio_client.client
import pytest

from studio.hard import people
from studio.hard.attack import Fell


class _SlowReader:
    """``json`` for a client's reader of answers that is held up at a stream's end."""

    dumps = staticmethod(json.dumps)
    JSONDecodeError = json.JSONDecodeError
    asked_again = threading.Event()

    @classmethod
    def loads(cls, text: Any, **given: Any) -> Any:
        if "close_stream" in text:
            cls.asked_again.wait(30)
        return json.loads(text, **given)


def test_gradio_client_loses_an_answer_of_a_plain_page(monkeypatch: pytest.MonkeyPatch) -> None:
    """If this fails, Gradio has mended it: the crowd needs no second asking any more."""
    with gr.Blocks() as demo:
        word, answer = gr.Textbox(), gr.Textbox()
        gr.Button().click(lambda text: text, word, answer, api_name="echo")
    _, url, _ = demo.launch(prevent_thread_lock=True, quiet=True)
    try:
        client = gradio_client.Client(url, verbose=False)
        monkeypatch.setattr(gradio_client.client, "json", _SlowReader)
        assert client.submit("one", api_name="/echo").result(timeout=60) == "one"
        job = client.submit("two", api_name="/echo")  # while the first one's stream is ending
        while not client.pending_event_ids:
            time.sleep(0.01)
        _SlowReader.asked_again.set()
        with pytest.raises(CancelledError):
            job.result(timeout=60)
    finally:
        demo.close()


class _Server:
    def steps(self) -> list[dict[str, Any]]:
        return []

    def stop(self) -> None:
        pass


@pytest.mark.parametrize(("lost", "holds"), [(0, True), (3, True), (4, False)])
def test_few_answers_may_be_lost(lost: int, holds: bool, monkeypatch: pytest.MonkeyPatch) -> None:
    server: Any = _Server()
    crowd = people.Crowd(server, [], {}, memory=[1])
    crowd.done = Counter({"runs": 300, people.LOST: lost})
    monkeypatch.setattr(people, "crowds", [crowd])
    if holds:
        assert "300 runs" in people.summary()
    else:
        with pytest.raises(Fell, match="too many answers were lost"):
            people.summary()
