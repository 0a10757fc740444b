"""verl tokenises what was exported; the tokens that it trains on are those of the record.

It is installed without what it asks for, an engine for generation among it, which reading data does not need.
"""

from __future__ import annotations

from omegaconf import OmegaConf
from verl.utils.dataset.multiturn_sft_dataset import MultiTurnSFTDataset

from tests.training.reading.tiny import EXPORTS, chatml, good_turns, tokenizer


def test_verl_trains_the_good_reply_of_each_row() -> None:
    tokens = tokenizer()
    config = OmegaConf.create({"pad_mode": "no_padding", "max_length": 8192})
    dataset = MultiTurnSFTDataset(str(EXPORTS / "sft-verl.parquet"), tokens, config)
    for number, (prompt, reply) in enumerate(good_turns()):
        row = dataset[number]
        ids, mask = row["input_ids"].tolist(), row["loss_mask"].tolist()
        assert tokens.decode(ids) == chatml([*prompt, {"role": "assistant", "content": reply}])
        kept = [token for token, on in zip(ids, mask, strict=True) if on]
        assert tokens.decode(kept) == f"{reply}<|im_end|>\n"
    assert len(dataset) == len(good_turns())
