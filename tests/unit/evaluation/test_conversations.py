"""Turns that continue from kept keys and values say what they say when all is encoded anew."""

import random

import pytest
from lemur.inference.conversations import Conversations
from lemur.inference.engine import Engine, Wanted

TURNS = 4


def said(draw, size, low, high):
    return tuple(draw.randrange(4, size) for _ in range(draw.randint(low, high)))


def play(engine, rows, count, shared=0):
    """Answers of ``count`` conversations of TURNS turns, and what played them."""
    size = engine.model.config.vocab_size
    first = said(random.Random(99), size, shared, shared) if shared else ()
    prompts = {n: (*first, *said(random.Random(n), size, 3, 30)) for n in range(count)}
    talk = Conversations(engine, rows)
    made = {n: [] for n in range(count)}
    for n, prompt in prompts.items():
        talk.add(n, Wanted(prompt, 12))
    while talk.busy:
        for n, answer in talk.step():
            made[n].append(answer)
            if len(made[n]) == TURNS:
                talk.drop(n)
                continue
            more = said(random.Random(f"{n} {len(made[n])}"), size, 1, 20)
            prompts[n] = (*prompts[n], *answer.ids, *more)
            talk.add(n, Wanted(prompts[n], 12))
    return made, talk


@pytest.fixture
def alone(engine):
    def played(count, shared=0):
        size = engine.model.config.vocab_size
        first = said(random.Random(99), size, shared, shared) if shared else ()
        made = {}
        for n in range(count):
            prompt, made[n] = (*first, *said(random.Random(n), size, 3, 30)), []
            for turn in range(1, TURNS + 1):
                ((_, answer),) = engine.generate([Wanted(prompt, 12)], 1)
                made[n].append(answer)
                more = said(random.Random(f"{n} {turn}"), size, 1, 20)
                prompt = (*prompt, *answer.ids, *more)
        return made

    return played


@pytest.mark.parametrize("rows", [1, 3, 16])
@pytest.mark.parametrize("shared", [0, 700])
def test_turns_are_those_of_whole_prompts(engine, alone, rows, shared):
    made, talk = play(engine, rows, 6, shared)
    assert made == alone(6, shared)
    assert not talk.parked  # nothing of an ended conversation is held but a few beginnings
    whole = talk.encoded + talk.reused
    assert talk.reused > (0.9 if shared else 0.5) * whole
    assert len({answer.ids for answers in made.values() for answer in answers}) > 12


def test_a_prompt_that_does_not_begin_as_before_is_encoded_anew(engine):
    size = engine.model.config.vocab_size
    draw = random.Random(5)
    first, second = said(draw, size, 80, 80), said(draw, size, 50, 50)
    talk = Conversations(engine, 2)
    for prompt in (first, (*first[:60], *second), second):
        talk.add("a", Wanted(prompt, 8))
        before = talk.reused
        (answer,) = [answer for _ in range(99) for key, answer in talk.step()]
        ((_, expected),) = engine.generate([Wanted(prompt, 8)], 1)
        assert answer == expected
        assert talk.reused - before == (60 if len(prompt) > 80 else 0)


def test_sampling_depends_on_the_number_alone(engine):
    size = engine.model.config.vocab_size
    prompts = [said(random.Random(n), size, 9, 9) for n in range(5)]
    found = []
    for rows in (1, 5):
        talk = Conversations(engine, rows)
        for n, prompt in enumerate(prompts):
            talk.add(n, Wanted(prompt, 9, temperature=0.8, top_p=0.9, number=n))
        made = {}
        while talk.busy:
            made.update(talk.step())
        found.append(made)
    assert found[0] == found[1]


def test_a_model_of_transformers_alone_continues_too(folder, monkeypatch):
    """Without the CPU's own forward pass, as on a GPU."""
    from lemur.inference import cpu_llama

    monkeypatch.setattr(cpu_llama, "build", lambda model: None)
    engine = Engine(folder, "fp32")
    assert engine.lean is None
    prompts = [said(random.Random(n), engine.model.config.vocab_size, 40, 60) for n in range(3)]
    talk = Conversations(engine, 2)
    for n, prompt in enumerate(prompts):
        talk.add(n, Wanted(prompt, 6))
    made = {}
    while talk.busy:
        made.update(talk.step())
    again = dict(engine.generate([Wanted(prompt, 6) for prompt in prompts], 2))
    assert made == again
    talk.add(0, Wanted((*prompts[0], *made[0].ids, 7, 8, 9), 6))
    ended = []
    while talk.busy:
        ended += talk.step()
    ((_, expected),) = engine.generate([Wanted((*prompts[0], *made[0].ids, 7, 8, 9), 6)], 1)
    assert ended == [(0, expected)] and talk.reused >= 40
