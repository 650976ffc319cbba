"""Where the young prior is shown to look: the right token per cell, and the loss against diffusers' own scores."""

from __future__ import annotations

import torch
from diffusers.models.attention_processor import AttnProcessor

from studio.starter.stages import attention_supervision, prior, text_grounding
from studio.starter.stages.tokenizer import MAX_TOKENS


def test_the_right_token_is_the_one_whose_block_holds_the_cell() -> None:
    marks = torch.arange(256.0).view(1, 1, 16, 16)
    block_of = {
        int(m): b for b, cells in enumerate(text_grounding.blocks(marks)[0]) for m in cells.tolist()
    }
    for side in (4, 8, 16):
        step = 16 // side
        for cell, token in enumerate(attention_supervision.right_tokens(side).tolist()):
            y, x = divmod(cell, side)
            assert token == MAX_TOKENS - 16 + block_of[y * step * 16 + x * step]


class KeepScores(AttnProcessor):
    """diffusers' plain attention, which keeps the softmax scores of cross-attention (N, heads, cells, tokens)."""

    def __init__(self, kept: list[torch.Tensor]) -> None:
        self.kept = kept

    def __call__(self, attn, hidden_states, encoder_hidden_states=None, *args, **more):
        if encoder_hidden_states is not None:
            query = attn.head_to_batch_dim(attn.to_q(hidden_states))
            key = attn.head_to_batch_dim(attn.to_k(encoder_hidden_states))
            scores = attn.get_attention_scores(query, key)
            self.kept.append(scores.view(len(hidden_states), attn.heads, *scores.shape[1:]))
        return super().__call__(attn, hidden_states, encoder_hidden_states, *args, **more)


def test_the_loss_is_the_log_score_of_the_right_token_on_half_of_the_heads() -> None:
    torch.manual_seed(0)
    model = prior.build((32, 32), text_width=16, channels=4, heads=2)
    z, states = torch.randn(2, 4, 16, 16), torch.randn(2, MAX_TOKENS, 16)
    shown = attention_supervision.Looking(model)
    plain_output = model(z, 700, states).sample
    loss = shown.loss()
    kept: list[torch.Tensor] = []
    model.set_attn_processor({n: KeepScores(kept) for n in model.attn_processors})
    with torch.no_grad():
        output = model(z, 700, states).sample
    wanted = []
    for scores in kept:
        right = attention_supervision.right_tokens(int(scores.shape[2] ** 0.5))
        wanted.append(-scores[:, :1, torch.arange(len(right)), right].log().mean())
    assert torch.allclose(loss, torch.stack(wanted).mean(), rtol=1e-4)
    assert torch.allclose(plain_output, output, atol=1e-5)
    loss.backward()
    queries = [p for n, p in model.named_parameters() if "attn2.to_q" in n]
    assert queries and all(p.grad is not None and p.grad.abs().sum() > 0 for p in queries)
