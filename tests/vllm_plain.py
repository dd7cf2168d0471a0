"""Greedy tokens of model folders from vLLM alone, in float32: none of our code is imported.

    python -I tests/vllm_plain.py ASKED.json ANSWERS.json

ASKED: ``[{"folder": ..., "prompts": [[token ids], ...], "new": 16}, ...]``. ANSWERS: for each of
these its token ids, prompt by prompt.
"""

import json
import os
import sys

# Read when vLLM is imported: no report of its use, no compilation, and a small cache on CPUs.
os.environ |= {"VLLM_NO_USAGE_STATS": "1", "VLLM_CPU_CI_ENV": "1", "VLLM_CPU_KVCACHE_SPACE": "1"}


def answers(folder: str, prompts: list[list[int]], new: int) -> list[list[int]]:
    """Loads the folder as vLLM does by default: its own configuration, tokenizer and end tokens."""
    from vllm import LLM, SamplingParams

    model = LLM(model=folder, dtype="float32", max_model_len=max(map(len, prompts)) + new)
    asked = [{"prompt_token_ids": ids} for ids in prompts]
    options = SamplingParams(temperature=0.0, max_tokens=new)
    made = [
        list(one.outputs[0].token_ids) for one in model.generate(asked, options, use_tqdm=False)
    ]
    model.llm_engine.engine_core.shutdown()
    return made


if __name__ == "__main__":  # vLLM's processes import this file
    with open(sys.argv[1]) as file:
        given = json.load(file)
    found = [answers(**one) for one in given]
    assert not any(name.partition(".")[0] == "lemur" for name in sys.modules)
    with open(sys.argv[2], "w") as file:
        json.dump(found, file)
