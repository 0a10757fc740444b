"""axolotl reads what was exported; the tokens that it trains on are those of the record."""

from __future__ import annotations

from axolotl.prompt_strategies.chat_template import load
from axolotl.utils.dict import DictDefault

from tests.training.reading.tiny import chatml, records, rows, tokenizer, trained


def test_axolotl_trains_the_messages_that_are_marked() -> None:
    tokens = tokenizer()
    config = DictDefault(
        {"sequence_len": 8192, "train_on_inputs": False, "chat_template": "tokenizer_default"}
    )
    settings = {"field_messages": "messages", "message_field_training": "train", "roles_to_train": []}
    strategy = load(tokens, config, DictDefault(settings))
    for row, record in zip(rows("sft-axolotl"), records(), strict=True):
        made = strategy.tokenize_prompt(row)
        assert tokens.decode(made["input_ids"]) == chatml(record["messages"])
        kept = "".join(tokens.decode(ids) for on, ids in trained(made["input_ids"], made["labels"]) if on)
        wanted = [m["content"] for m in record["messages"] if m["weight"]]
        assert kept == "".join(f"{text}<|im_end|>" for text in wanted)
