"""A mistake in the settings is one line that names the key."""

import pytest
from lemur.config import recipe, stages
from lemur.core.errors import UserError
from lemur.core.provenance import ROOT
from lemur.training.settings import parse
from tiny_training import settings


def test_reads_everything():
    spec = parse(settings())
    assert (spec.sequences, spec.world, spec.betas) == (4, 1, (0.9, 0.95))


@pytest.mark.parametrize(
    ("change", "said"),
    [
        ({"optimizer__learnig_rate": 1.0}, "pretrain.optimizer.learnig_rate: unknown key"),
        ({"optimizer__learning_rate": -1.0}, "pretrain.optimizer.learning_rate: -1.0 is below 0"),
        ({"optimizer__learning_rate": "fast"}, "'fast' is not of type float"),
        ({"optimizer__betas": [0.9]}, "pretrain.optimizer.betas"),
        ({"optimizer__name": "adam"}, "did you mean 'adamw'"),
        ({"schedule__name": "cosin"}, "did you mean 'cosine'"),
        ({"schedule__warmup": 2}, "shares, from 0 to 1"),
        ({"precision": "fp16"}, "pretrain.precision: 'fp16'"),
        ({"global_batch_tokens": 65}, "pretrain.global_batch_tokens: 65 is not a multiple"),
        ({"tokens": 10}, "pretrain.tokens: 10 is less than one step of 64"),
        ({"tokens": None}, "pretrain.tokens or pretrain.epochs: give one"),
        ({"epochs": 1.0}, "pretrain.tokens or pretrain.epochs: give one"),
        ({"parallel__processes_per_node": 2}, "2 ranks need deepspeed"),
        ({"engine": "deepspeed"}, "pretrain.parallel.zero_stage: 0"),
        ({"parallel__offload": "parameters"}, "pretrain.parallel.offload: parameters are kept"),
        ({"vocabulary": "chatlm"}, "did you mean 'chatml'"),
        ({"stage": "pretain"}, "did you mean 'pretrain'"),
        ({"gradient_checkpointing": 1}, "not of type bool"),
        ({"seed": True}, "pretrain.seed"),
    ],
)
def test_mistakes(change, said):
    with pytest.raises(UserError) as caught:
        parse(settings(**change))
    assert said in str(caught.value)
    assert "\n" not in str(caught.value)


def test_a_missing_key_is_named():
    values = settings()
    del values["schedule"]["final"]
    with pytest.raises(UserError, match="pretrain.schedule.final is missing"):
        parse(values)


def test_the_fingerprint_follows_what_is_learned_and_nothing_else():
    def name(model="m", data="d", **changes):
        return parse(settings(**changes)).fingerprint(model, data)

    same = [
        {"checkpoint__every_steps": 1},
        {"threads": 2},
        {"attention": "sdpa"},
        {"engine": "deepspeed", "parallel__zero_stage": 2, "parallel__processes_per_node": 2},
    ]
    assert {name(**change) for change in same} == {name()}
    other = [
        {"seed": 4},
        {"optimizer__learning_rate": 0.02},
        {"tokens": 832},
        {"precision": "bf16"},
        {"model": "n"},
        {"data": "e"},
    ]
    assert len({name(**change) for change in other} | {name()}) == len(other) + 1


@pytest.mark.parametrize(
    "name", sorted(path.stem for path in (ROOT / "config" / "recipes").glob("*.yaml"))
)
@pytest.mark.parametrize("stage", ["pretrain", "sft"])
def test_every_recipe_is_one_that_training_takes(name, stage):
    """What the rules pass for each committed recipe has no key that is unknown here, none missing."""
    resolved = recipe.resolve(name)
    if stage == "sft" and not resolved["sft"]["sources"]:
        return
    spec = parse(stages.train(resolved, stage))
    assert spec.context <= resolved["base"]["architecture"]["max_context"]
    assert spec.vocabulary == ("chatml" if stage == "sft" else "keep")
