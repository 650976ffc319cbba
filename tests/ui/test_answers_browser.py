"""What is asked for in the moment in which the stream of answers ends is answered all the same."""

from __future__ import annotations

import pytest

from tests.support.studio_page import Studio, needs_starter

pytestmark = [pytest.mark.browser, needs_starter]

# The browser's fetch, with the end of a stream coming late: as on a machine that is busy.
LATE = """
const plain = window.fetch.bind(window);
const END = 'data: {"msg":"close_stream"';
window.fetch = async (input, init) => {
    const answer = await plain(input, init);
    if (!String(input.url ?? input).includes("/queue/data")) return answer;
    const late = new TransformStream({
        async transform(chunk, controller) {
            const text = new TextDecoder().decode(chunk);
            const at = text.indexOf(END);
            if (at < 0) return controller.enqueue(chunk);
            controller.enqueue(new TextEncoder().encode(text.slice(0, at)));
            window.ends = (window.ends || 0) + 1;
            await new Promise((done) => setTimeout(done, 2000));
            controller.enqueue(new TextEncoder().encode(text.slice(at)));
        },
    });
    return new Response(answer.body.pipeThrough(late), { headers: answer.headers });
};
"""


def test_a_picture_asked_for_while_the_stream_ends_comes(studio: Studio) -> None:
    studio.page.add_init_script(LATE)
    studio.open().use(["a cat face"], steps=1)
    studio.page.wait_for_timeout(2500)  # for the end of what the page asked as it opened
    studio.page.evaluate("window.ends = 0")
    before = studio.moments()
    studio.generate()
    studio.page.wait_for_function("window.ends > 0")
    studio.page.click("#gs-generate")
    studio.made_since(before, 2)
    assert not studio.errors
