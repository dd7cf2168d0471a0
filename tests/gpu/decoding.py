"""Part decoding: greedy answers against transformers' generate, their speed, and kept conversations."""

import random
import time

import torch
from bench.training_work import SHAPES
from lemur.inference.conversations import Conversations
from lemur.inference.engine import Engine, Generated, Wanted
from lemur.models.weights import load_weights
from transformers import PreTrainedModel

from gpu import commands
from gpu.report import fact, holds

# A choice whose score is below the best by no more than this share of it is a tie that rounding
# decides; a token that has nothing to do with the text lies a whole share below.
TIE = {"fp32": 1e-4, "bf16": 16 * 2.0**-8}


def prompts(count: int, low: int, high: int, vocabulary: int, seed: int) -> list[tuple[int, ...]]:
    """Random tokens; each prompt repeats some of itself, as programs do."""
    draw = random.Random(seed)
    made = []
    for _ in range(count):
        half = [draw.randrange(1, vocabulary) for _ in range(draw.randint(low, high) // 2)]
        made.append((*half, *half[: len(half) // 2], *half))
    return made


def stock(
    model: PreTrainedModel, given: list[tuple[int, ...]], new: int, batch: int
) -> list[list[int]]:
    """Greedy continuations by transformers, padded on the left; ends with the end token's first."""
    made: list[list[int]] = []
    for first in range(0, len(given), batch):
        group = given[first : first + batch]
        longest = max(map(len, group))
        ids = torch.zeros(len(group), longest, dtype=torch.long)
        seen = torch.zeros_like(ids)
        for row, prompt in enumerate(group):
            ids[row, longest - len(prompt) :] = torch.tensor(prompt)
            seen[row, longest - len(prompt) :] = 1
        out = model.generate(
            input_ids=ids.to(model.device), attention_mask=seen.to(model.device), do_sample=False,
            max_new_tokens=new, pad_token_id=0, eos_token_id=0,
        )  # fmt: skip
        for row in out[:, longest:].tolist():
            made.append(row[: row.index(0)] if 0 in row else row)
    return made


def ours(engine: Engine, given: list[tuple[int, ...]], new: int, batch: int) -> list[list[int]]:
    """The same by the project's engine."""
    found: dict[int, Generated] = dict(engine.generate([Wanted(p, new) for p in given], batch))
    return [list(found[number].ids) for number in range(len(given))]


@torch.inference_mode()
def furthest(model: PreTrainedModel, given, answers) -> float:
    """How far below the best score a chosen one lies, as a share of the best, at most: by a forward
    pass over the whole answer."""
    worst = 0.0
    for prompt, answer in zip(given, answers, strict=True):
        if not answer:
            continue
        ids = torch.tensor([[*prompt, *answer]], device=model.device)
        scores = model(input_ids=ids, use_cache=False).logits[0, len(prompt) - 1 : -1].float()
        best = scores.max(-1).values
        chosen = scores.gather(1, ids[0, len(prompt) :, None])[:, 0]
        worst = max(worst, float(((best - chosen) / best.abs()).max()))
    return worst


def timed(call) -> tuple[list[list[int]], float]:
    """What ``call`` gives and its seconds; answers are lists, so the device has finished."""
    began = time.perf_counter()
    found = call()
    return found, time.perf_counter() - began


def run(session) -> None:
    """float32 must be equal, token by token; bfloat16 up to ties; then speed and conversations."""
    size = "1m" if session.tiny else "135m"
    folder = commands.prepared(size, session.folder)
    vocabulary = SHAPES[size][0]
    count, low, high, new, batch = (6, 8, 40, 12, 4) if session.tiny else (96, 150, 300, 128, 48)
    given = prompts(count, low, high, vocabulary, 1)
    for precision in ("fp32", "bf16"):
        engine = Engine(folder, precision, session.device)
        peer = load_weights(folder, engine.model.dtype, attn_implementation="sdpa")
        peer = peer.to(engine.device).eval()
        _equal(session, precision, engine, peer, given, new, batch)
        if precision == "bf16" and not session.tiny:
            _speed(session, engine, peer, vocabulary, new, batch)
    _conversations(session, folder, vocabulary)


def _equal(session, precision, engine, peer, given, new, batch) -> None:
    mine, theirs = ours(engine, given, new, batch), stock(peer, given, new, batch)
    same = sum(one == other for one, other in zip(mine, theirs, strict=True))
    what, said = f"{precision}: answers equal to generate's", f"{same} of {len(given)}"
    if engine.model.dtype == torch.float32:
        # Among thousands of choices of a random model one may be a tie also in float32.
        session.part.add(holds(what, same >= 0.95 * len(given), said, "at least 0.95 of them"))
    else:
        session.part.add(fact(what, said))
    worst, tie = furthest(peer, given, mine), TIE[precision]
    session.part.add(holds(f"{precision}: chosen scores below the best, as a share of it", worst <= tie, f"{worst:.2g}", f"at most {tie:.2g}: ties alone"))  # fmt: skip


def _speed(session, engine, peer, vocabulary, new, batch) -> None:
    """Answers a minute; new prompts, since what was answered before is guessed rightly."""
    for name, call in (("ours", ours), ("transformers", stock)):
        subject = engine if name == "ours" else peer
        given = prompts(2 * batch, 150, 300, vocabulary, 2)
        answers, spent = timed(lambda: call(subject, given, new, batch))  # noqa: B023
        tokens = sum(map(len, answers))
        session.part.add(fact(f"bf16: problems a minute, {name}", f"{60 * len(given) / spent:,.0f} ({tokens / spent:,.0f} tokens/s)"))  # fmt: skip


def _conversations(session, folder, vocabulary) -> None:
    """Episodes whose keys and values are kept between turns answer as whole prompts do (float32)."""
    engine = Engine(folder, "fp32", session.device)
    episodes, turns, new = (3, 3, 6) if session.tiny else (16, 6, 48)
    low, high = (40, 60) if session.tiny else (600, 900)
    starts = prompts(episodes, low, high, vocabulary, 3)
    more = {(n, t): prompts(1, 8, 20, vocabulary, 100 * n + t)[0] for n in range(episodes)
            for t in range(turns)}  # fmt: skip
    kept, spent = timed(lambda: _kept(engine, starts, more, turns, new))
    anew, whole = timed(lambda: _anew(engine, starts, more, turns, new))
    same = sum(one == other for one, other in zip(kept, anew, strict=True))
    session.part.add(holds("conversations: answers equal to whole prompts'", same >= 0.9 * len(anew), f"{same} of {len(anew)}", "at least 0.9 of them: a tie changes the turns after it"))  # fmt: skip
    session.part.add(fact("conversations: seconds kept / anew", f"{spent:.2f} / {whole:.2f}, {whole / spent:.2f} times as fast"))  # fmt: skip


def _kept(engine, starts, more, turns, new) -> list[list[int]]:
    talk = Conversations(engine, len(starts))
    said = dict(enumerate(starts))
    made: dict[tuple[int, int], list[int]] = {}
    turn = dict.fromkeys(said, 0)
    for number, prompt in said.items():
        talk.add(number, Wanted(prompt, new))
    while talk.busy:
        for number, answer in talk.step():
            at = turn[number]
            made[number, at] = list(answer.ids)
            turn[number] += 1
            if turn[number] == turns:
                talk.drop(number)
                continue
            said[number] = (*said[number], *answer.ids, *more[number, at])
            talk.add(number, Wanted(said[number], new))
    return [made[key] for key in sorted(made)]


def _anew(engine, starts, more, turns, new) -> list[list[int]]:
    said, made = list(starts), {}
    for turn in range(turns):
        answers = ours(engine, said, new, len(said))
        for number, answer in enumerate(answers):
            made[number, turn] = answer
            said[number] = (*said[number], *answer, *more[number, turn])
    return [made[key] for key in sorted(made)]
