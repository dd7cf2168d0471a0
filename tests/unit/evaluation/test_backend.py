"""Likelihoods against a plain forward pass, prompts against what is sent."""

import pytest
import torch
from lemur.evaluation.backends import tokenized
from lemur.evaluation.backends import transformers_backend as module
from lemur.evaluation.backends.transformers_backend import TransformersBackend, common
from lemur.evaluation.spec import Decoding
from lm_eval.api.instance import Instance


def request(kind, arguments, number=0):
    return Instance(kind, {}, arguments, 0, metadata=("task", number, 1))


def backend(engine, **decoding):
    given = {"max_new_tokens": 8, "temperature": 0.0, **decoding}
    return TransformersBackend(engine, Decoding(**given), 4, 1, "test")


def plain(reference, ids, start):
    """Sum of log p of ids[start:], one forward pass of transformers' own model."""
    with torch.inference_mode():
        scores = reference(torch.tensor([ids])).logits[0].float().log_softmax(-1)
    return sum(float(scores[at - 1, ids[at]]) for at in range(start, len(ids)))


def collect(answers):
    return {number: entry.response for number, entry in answers}


def test_loglikelihood_of_continuations(engine, reference):
    pairs = [
        ("Is it so?", " Yes"),
        ("Is it so?", " No, never"),
        ("x", "y"),
        ("a b ", "c"),
        ("", "z"),
    ]
    made = collect(
        backend(engine).loglikelihood([request("loglikelihood", p) for p in pairs], [0] * 5, 0)
    )
    for number, (context, rest) in enumerate(pairs):
        ids = engine.encode(context + rest)
        start = len(ids) - len(rest)
        if context.endswith(" "):
            start -= 1  # as in lm-eval, spaces before a continuation are scored with it
        if not context:
            ids, start = [engine.tokenizer.eos_token_id, *ids], 1
        assert made[number][0] == pytest.approx(plain(reference, ids, start), abs=1e-3)


def test_the_greedy_continuation_is_known_as_greedy(engine):
    ids = engine.encode("abc")
    with torch.inference_mode():
        best = int(engine.logits(engine.hidden([ids])[0, -1]).argmax())
    asked = backend(engine)
    assert asked._score([(0, ids, [best])])[0][1] is True
    other = next(token for token in range(4, 260) if token != best)
    assert asked._score([(0, ids, [other])])[0][1] is False


def test_rolling_predicts_every_token_once(engine, reference, monkeypatch):
    texts = ["short", "a longer text, " * 9, "é", ""]
    requests = [request("loglikelihood_rolling", (text,)) for text in texts]
    whole = collect(backend(engine).rolling(requests, [0] * 4, 0))
    begin = engine.tokenizer.eos_token_id
    for number, text in enumerate(texts):
        ids = [begin, *engine.tokenizer.encode(text, add_special_tokens=False)]
        assert whole[number] == pytest.approx(plain(reference, ids, 1), rel=1e-5, abs=1e-4)
    assert whole[3] == 0.0
    monkeypatch.setattr(tokenized, "WINDOW", 32)
    cut = dict(backend(engine).rolling(requests, [0] * 4, 0))
    assert cut[0].response == pytest.approx(whole[0], abs=1e-4)  # one window holds it
    assert cut[1].response != pytest.approx(whole[1], rel=1e-4)
    assert cut[1].tokens == len(texts[1].encode())
    # By hand: windows of 32, the last one as long as the others, each token predicted once.
    ids = [begin, *engine.tokenizer.encode(texts[1], add_special_tokens=False)]
    total, at = plain(reference, ids[:33], 1), 33
    while at < len(ids):
        end = min(at + 32, len(ids))
        window = ids[end - 33 : end]
        total += plain(reference, window, len(window) - (end - at))
        at = end
    assert cut[1].response == pytest.approx(total, rel=1e-5)


def test_scores_do_not_depend_on_what_is_beside_them(engine):
    texts = [f"text number {number} " * (number + 1) for number in range(9)]
    requests = [request("loglikelihood_rolling", (text,)) for text in texts]
    together = collect(backend(engine).rolling(requests, [0] * 9, 0))
    for number, one in enumerate(requests):
        alone = collect(backend(engine).rolling([one], [0], 0))
        assert alone[0] == pytest.approx(together[number], rel=1e-5)


def test_shared_beginnings():
    assert common([[1, 2, 3], [1, 2, 4]]) == 2
    assert common([[1, 2], [1, 2]]) == 1  # a row keeps at least one token
    assert common([[1, 2, 3], [1]]) == 0
    assert common([[1, 2, 3]]) == 0 and common([]) == 0


def test_a_prefix_is_computed_once_and_changes_no_answer(engine, monkeypatch):
    examples = "Q: one?\nA: 1.\n\nQ: two?\nA: 2.\n\n"
    requests = [
        request("generate_until", (f"{examples}Q: {n} and {n}?\nA:", {"until": ["\n"]}), n)
        for n in range(5)
    ]
    calls = []
    kept = engine.prefix
    monkeypatch.setattr(engine, "prefix", lambda ids: calls.append(len(ids)) or kept(ids))
    shared = {n: e.response for n, e in backend(engine).generate(requests, range(5), 0)}
    assert calls == [len(f"{examples}Q: ")]
    monkeypatch.setattr(module, "SHORTEST_PREFIX", 10**9)
    apart = {n: e.response for n, e in backend(engine).generate(requests, range(5), 0)}
    assert shared == apart and len(calls) == 1


def test_a_prompt_longer_than_the_context_loses_its_beginning_and_says_so(engine):
    long, short = "x" * 700 + "the end", "short"
    requests = [
        request("generate_until", (text, {"until": []}), n) for n, text in enumerate((long, short))
    ]
    made = dict(backend(engine).generate(requests, [0, 1], 0))
    assert made[0].truncated == 707 - (512 - 8)
    assert made[1].truncated == 0
    kept = request("generate_until", (long[-504:], {"until": []}))
    again = dict(backend(engine).generate([kept], [0], 0))
    assert again[0].response == made[0].response


def test_no_room_for_an_answer_is_one_line(engine):
    from lemur.core.errors import UserError

    asked = backend(engine, max_new_tokens=512)
    with pytest.raises(UserError, match="leaves no room in a context of 512"):
        list(asked.generate([request("generate_until", ("a", {}))], [0], 0))


def test_a_window_is_scored_in_parts_that_hold_each_position_once(engine, monkeypatch):
    """No part is smaller than asked for, and the sum is that of all positions at once."""
    for length in (1, 7, 8, 15, 16, 17, 40):
        made = module.parts(3, 3 + length, 8)
        assert [at for part in made for at in range(part.start, part.stop)] == list(range(3, 3 + length))  # fmt: skip
        assert len(made) == max(1, length // 8)
    ids = engine.encode("def f(n):\n    return n + 1\n" * 3)
    window = [(0, ids[:-1], ids[1:])]
    (whole, _), (unasked, best) = (backend(engine)._score(window, g)[0] for g in (True, False))
    assert unasked == whole and best
    monkeypatch.setitem(module.HEAD_TOKENS, "cpu", 8)
    assert backend(engine)._score(window)[0][0] == pytest.approx(whole, rel=1e-6)
