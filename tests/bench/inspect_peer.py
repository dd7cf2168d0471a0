"""Inspect's side of make bench-agents, in the environment that has Inspect.

    env-run export python tests/bench/inspect_peer.py ASKED.json ANSWERS.json

ASKED: ``{"url", "served", "start", "end", "data", "set", "limit", "new", "rows"}``: a server, the markers of
its chat template, and which of MINT's tasks.
Inspect's own scheduler asks the server for ``rows`` episodes at a time, in the prompts and with the worlds
that the other sides have. ANSWERS: ``seconds`` of ``eval`` alone, each episode's answers, ``version``.
"""

import asyncio
import contextlib
import json
import sys
import tempfile
import time
from dataclasses import replace
from pathlib import Path

import inspect_ai
from inspect_ai import Task, eval
from inspect_ai.dataset import MemoryDataset, Sample
from inspect_ai.model import GenerateConfig, ModelAPI, ModelOutput, ModelUsage, get_model, modelapi
from inspect_ai.solver import solver
from lemur.agents import environments
from lemur.agents.episode import Turn
from lemur.evaluation.backends.completions import CompletionsClient


@modelapi(name="completions")
class Completions(ModelAPI):
    """The completions interface, with the text that our own player sends."""

    def __init__(self, model_name, start, end, **given):
        super().__init__(model_name, **given)
        self.start, self.end = start, end

    async def generate(self, input, tools, tool_choice, config):
        client = CompletionsClient(self.base_url, self.model_name, "Inspect")
        told = [f"{self.start}{message.role}\n{message.text}{self.end}\n" for message in input]
        prompt = "".join(told) + f"{self.start}assistant\n"
        stops = tuple(config.stop_seqs or ())
        text, finish, tokens = await asyncio.to_thread(
            client.complete, prompt, config.max_tokens,
            config.temperature, config.top_p, config.seed, stops,
        )  # fmt: skip
        made = ModelOutput.from_content(
            self.model_name, text, "max_tokens" if finish == "length" else "stop"
        )
        made.usage = ModelUsage(output_tokens=tokens, total_tokens=tokens)
        return made


@solver
def play(suite, tasks, sampling, said):
    """An episode from its first message to its end."""
    config = GenerateConfig(
        max_tokens=sampling.max_new_tokens, temperature=sampling.temperature,
        top_p=sampling.top_p, stop_seqs=list(sampling.stops), seed=1,
    )  # fmt: skip

    async def solve(state, generate):
        task, turns = tasks[state.sample_id], []
        with contextlib.closing(suite.open()) as world:
            start = await asyncio.to_thread(world.reset, task)
            while not (turns and turns[-1].done):
                asked = suite.messages(task, start, turns)
                output = await get_model().generate(as_inspect(asked), config=config)
                answer = output.completion
                step = await asyncio.to_thread(world.step, answer)
                turns.append(
                    Turn("", answer, output.usage.output_tokens, "", step.observation, step.reward, step.done, dict(step.info))
                )  # fmt: skip
        said[task.id] = [(turn.answer, turn.tokens) for turn in turns]
        return state

    return solve


def as_inspect(messages):
    """Messages as Inspect's own classes."""
    from inspect_ai.model import ChatMessageAssistant, ChatMessageSystem, ChatMessageUser

    kinds = {
        "system": ChatMessageSystem,
        "user": ChatMessageUser,
        "assistant": ChatMessageAssistant,
    }
    return [kinds[message["role"]](content=message["content"]) for message in messages]


def main() -> None:
    asked = json.loads(Path(sys.argv[1]).read_text())
    suite = environments.load("mint", {"data": Path(asked["data"]), "sets": [asked["set"]]})
    tasks = {task.id: task for task in suite.tasks()[: asked["limit"]]}
    sampling = replace(suite.sampling(), max_new_tokens=asked["new"])
    said: dict[str, list] = {}
    dataset = MemoryDataset([Sample(input=task, id=task) for task in tasks])
    task = Task(dataset=dataset, solver=play(suite, tasks, sampling, said))
    with tempfile.TemporaryDirectory(prefix="lemur-bench.") as folder:
        began = time.monotonic()
        (log,) = eval(
            task, model=f"completions/{asked['served']}", model_base_url=asked["url"],
            model_args={"start": asked["start"], "end": asked["end"]},
            max_samples=asked["rows"], max_connections=asked["rows"], display="none", log_dir=folder,
        )  # fmt: skip
        seconds = time.monotonic() - began
    if log.status != "success":
        raise SystemExit(f"Inspect: {log.error.message if log.error else log.status}")
    found = {"seconds": seconds, "version": inspect_ai.__version__}
    found["episodes"] = [said[task] for task in tasks]
    Path(sys.argv[2]).write_text(json.dumps(found))


if __name__ == "__main__":
    main()
