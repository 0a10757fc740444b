"""tinker-cookbook tokenises what was exported; the tokens that it trains on are those of the record.

It is installed without what it asks for: it needs tml-renderers 0.4.1, which is not there for Python 3.11.
The renderer that is used here does not need it.
"""

from __future__ import annotations

import tinker
from tinker_cookbook.renderers import TrainOnWhat
from tinker_cookbook.renderers.role_colon import RoleColonRenderer
from tinker_cookbook.supervised.data import conversation_to_datum

from tests.training.reading.tiny import records, rows, tokenizer


def test_tinker_trains_the_messages_that_are_marked() -> None:
    tokens = tokenizer()
    renderer = RoleColonRenderer(tokens)
    for row, record in zip(rows("sft-tinker"), records(), strict=True):
        datum = conversation_to_datum(
            row["messages"], renderer, None, TrainOnWhat.CUSTOMIZED, reduction="none"
        )
        targets = datum.loss_fn_inputs["target_tokens"].data
        weights = datum.loss_fn_inputs["weights"].data
        assert isinstance(datum, tinker.Datum)
        kept = [token for token, weight in zip(targets, weights, strict=True) if weight]
        wanted = [m["content"] for m in record["messages"] if m["weight"]]
        last = record["messages"][-1]
        stop = "User:" if last["weight"] else ""  # ends the last reply, by which the renderer knows it
        assert tokens.decode(kept) == "".join(f" {text}\n\n" for text in wanted) + stop
        whole = tokens.decode(targets)
        assert all(m["content"] in whole for m in record["messages"][1:])
