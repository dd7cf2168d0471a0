"""Decoding: the same tokens as transformers' generate, whatever else is in the batch."""

import random
from concurrent.futures import ThreadPoolExecutor

import pytest
import torch
from lemur.core.errors import UserError
from lemur.inference import model_tokenizer
from lemur.inference.engine import Engine, Wanted, batched_by_tokens
from lemur.inference.stopping import cut
from lemur.models import bfloat16


def prompts(engine, count, low=3, high=40, seed=0):
    draw = random.Random(seed)
    size = engine.model.config.vocab_size
    return [
        tuple(draw.randrange(4, size) for _ in range(draw.randint(low, high))) for _ in range(count)
    ]


@pytest.fixture
def alone(engine, reference):
    """transformers' own greedy continuation of one prompt."""

    def continued(prompt, new):
        given = torch.tensor([prompt])
        out = reference.generate(
            input_ids=given,
            attention_mask=torch.ones_like(given),
            max_new_tokens=new,
            do_sample=False,
            eos_token_id=sorted(engine.stop_ids),
            pad_token_id=0,
        )[0, len(prompt) :].tolist()
        ended = [at for at, token in enumerate(out) if token in engine.stop_ids]
        return tuple(out[: ended[0]] if ended else out)

    return continued


@pytest.mark.parametrize("batch", [1, 3, 16])
def test_greedy_equals_transformers_for_every_batch_size(engine, alone, batch):
    given = prompts(engine, 12)
    made = dict(engine.generate([Wanted(one, 24) for one in given], batch))
    assert sorted(made) == list(range(12))
    for number, prompt in enumerate(given):
        assert made[number].ids == alone(prompt, 24)
    assert len({result.ids for result in made.values()}) > 6  # the model says different things


@pytest.mark.parametrize("batch", [1, 5])
def test_a_shared_prefix_changes_nothing(engine, alone, batch):
    shared = prompts(engine, 1, 60, 60, seed=9)[0]
    given = prompts(engine, 7, 1, 12, seed=2)
    prefix = engine.prefix(shared)
    made = dict(engine.generate([Wanted(one, 16) for one in given], batch, prefix))
    for number, prompt in enumerate(given):
        assert made[number].ids == alone(shared + prompt, 16)


def test_rows_of_unequal_length_leave_and_enter(engine, alone):
    """Slots are given on: rows that end early must not disturb those that go on."""
    given = prompts(engine, 14, seed=5)
    wanted = [Wanted(one, 1 + 7 * (number % 5)) for number, one in enumerate(given)]
    made = dict(engine.generate(wanted, 4))
    for number, one in enumerate(wanted):
        assert made[number].ids == alone(one.prompt, one.max_new_tokens)


def test_a_stop_string_ends_a_row_with_its_token(engine):
    given = prompts(engine, 6, seed=3)
    free = dict(engine.generate([Wanted(one, 30) for one in given], 6))
    text_of = model_tokenizer.Decoding(engine.tokenizer)
    wanted, expected = [], []
    for number, one in enumerate(given):
        text = text_of(free[number].ids)
        # What is not yet a whole character reads as U+FFFD: stop at ASCII.
        stop = next(char for char in text[3:] if char.isascii())
        wanted.append(Wanted(one, 30, (stop,)))
        expected.append(cut(text, [stop]))
    assert any(expected)
    for number, result in engine.generate(wanted, 3):
        text = text_of(result.ids)
        assert cut(text, wanted[number].stops) == expected[number]
        assert result.finish == "stop"
        shorter = text_of(result.ids[:-1])
        assert wanted[number].stops[0] not in shorter


def test_why_a_row_ended(engine):
    one = prompts(engine, 1)[0]
    (_, result), *_ = engine.generate([Wanted(one, 5)], 1)
    assert result.finish == "length" and len(result.ids) == 5
    kept = engine.stop_ids
    engine.stop_ids = frozenset({result.ids[2]})
    try:
        (_, ended), *_ = engine.generate([Wanted(one, 5)], 1)
    finally:
        engine.stop_ids = kept
    first = result.ids.index(result.ids[2])
    assert ended.finish == "end" and ended.ids == result.ids[:first]


def test_sampling_depends_on_the_request_alone(engine):
    given = prompts(engine, 8, seed=4)
    wanted = [
        Wanted(one, 12, temperature=0.8, top_p=0.95, number=number)
        for number, one in enumerate(given)
    ]
    one, many = dict(engine.generate(wanted, 1)), dict(engine.generate(wanted, 8))
    assert one == many
    other = [Wanted(w.prompt, 12, temperature=0.8, top_p=0.95, number=99) for w in wanted]
    assert dict(engine.generate(other, 8)) != many
    cold = [Wanted(w.prompt, 12, temperature=1e-6, number=7) for w in wanted]
    greedy = dict(engine.generate([Wanted(w.prompt, 12) for w in wanted], 8))
    assert dict(engine.generate(cold, 8)) == greedy


def test_sampled_shares_follow_the_model(engine):
    """The first token over many draws against softmax at that temperature."""
    prompt = prompts(engine, 1, seed=8)[0]
    engine_rows = [Wanted(prompt, 1, temperature=1.5, number=number) for number in range(3000)]
    drawn = torch.zeros(engine.model.config.vocab_size)
    for _, result in engine.generate(engine_rows, 500):
        for token in result.ids or [next(iter(engine.stop_ids))]:
            drawn[token] += 1
    with torch.inference_mode():
        scores = engine.logits(engine.hidden([prompt])[0, -1])
    expected = (scores / 1.5).softmax(-1)
    assert torch.allclose(drawn / 3000, expected, atol=0.04)


def test_top_p_draws_from_the_nucleus_alone(engine):
    prompt = prompts(engine, 1, seed=8)[0]
    with torch.inference_mode():
        shares = engine.logits(engine.hidden([prompt])[0, -1]).softmax(-1)
    ranked = shares.sort(descending=True)
    nucleus = int((ranked.values.cumsum(0) < 0.5).sum()) + 1
    allowed = set(ranked.indices[:nucleus].tolist())
    rows = [Wanted(prompt, 1, temperature=1.0, top_p=0.5, number=n) for n in range(200)]
    for _, result in engine.generate(rows, 100):
        assert set(result.ids) <= allowed


def test_threads_do_not_see_each_others_rows(engine):
    """A server answers several requests by one engine."""
    given = prompts(engine, 8, seed=6)
    one = [dict(engine.generate([Wanted(p, 20)], 1)) for p in given]
    with ThreadPoolExecutor(4) as pool:
        made = list(pool.map(lambda p: dict(engine.generate([Wanted(p, 20)], 1)), given))
    assert made == one


def test_nothing_wanted_nothing_made(engine):
    assert list(engine.generate([], 4)) == []


def test_what_is_not_a_model_is_named(tmp_path, folder):
    with pytest.raises(UserError, match="config.json is missing"):
        Engine(tmp_path, "fp32")
    with pytest.raises(UserError, match="precision 'int3'"):
        Engine(folder, "int3")


def test_batches_by_tokens():
    assert batched_by_tokens([5, 5, 5], 10) == [[0, 1], [2]]
    assert batched_by_tokens([50, 1], 10) == [[0], [1]]
    assert batched_by_tokens([], 10) == []
    lengths = [random.Random(1).randint(1, 99) for _ in range(50)]
    groups = batched_by_tokens(lengths, 200)
    assert [n for group in groups for n in group] == list(range(50))
    assert all(len(g) == 1 or len(g) * max(lengths[n] for n in g) <= 200 for g in groups)


@pytest.mark.parametrize(("native", "computed"), [(True, torch.bfloat16), (False, torch.float32)])
def test_bf16_is_computed_in_float32_where_a_cpu_has_no_instructions_for_it(
    folder, monkeypatch, capsys, native, computed
):
    monkeypatch.setattr(bfloat16, "native", lambda device: native)
    made = Engine(folder, "bf16", "cpu")
    assert made.model.dtype == computed
    assert ("computed in float32" in capsys.readouterr().err) != native
