"""vLLM plays, in its own environment: it admits turns whenever they come, and its prefix cache keeps
what an episode's turns have in common."""

from collections.abc import Hashable, Sequence
from pathlib import Path

from lemur.agents.environment import Message, Sampling
from lemur.agents.episode import CONTEXT_FULL
from lemur.agents.players.player import SEEDS, Answer
from lemur.agents.players.prompts import Prompts
from lemur.evaluation.backends.vllm_backend import VllmBackend
from lemur.inference.stopping import cut


class VllmPlayer:
    """A Hugging Face folder that vLLM has loaded; ``context`` as for the engine's player."""

    def __init__(self, backend: VllmBackend, folder: Path | str, context: int | None = None):
        self.backend = backend
        most = min(context or backend.context, backend.context)
        self.prompts = Prompts(backend.tokenizer, folder, most)
        self.asked: dict[str, tuple[Hashable, tuple[int, ...], Sampling]] = {}
        self.refused: list[tuple[Hashable, Answer]] = []
        self.count = 0

    def ask(
        self, key: Hashable, turn: int, messages: Sequence[Message], sampling: Sampling, number: int
    ) -> None:
        """Have a turn answered, where prompt and answer find room."""
        prompt = self.prompts.encode(messages, sampling)
        if prompt is None:
            self.refused.append((key, Answer("", 0, CONTEXT_FULL)))
            return
        self.count += 1
        self.asked[str(self.count)] = key, prompt, sampling
        self.backend.add(
            str(self.count), prompt, sampling.max_new_tokens, sampling.stops,
            sampling.temperature, sampling.top_p, number % SEEDS,
        )  # fmt: skip

    def answers(self, patience: float) -> list[tuple[Hashable, Answer]]:
        """One pass; what ended by it, and what found no room."""
        found, self.refused = self.refused, []
        for name, output in self.backend.step() if self.asked else ():
            key, prompt, sampling = self.asked.pop(name)
            text, tokens, finish = self.backend.read(output, prompt)
            found.append((key, Answer(cut(text, sampling.stops), tokens, finish)))
        return found

    def drop(self, key: Hashable) -> None:
        """vLLM gives up by itself what finds no room."""

    def close(self) -> None:
        """Its processes end with this one."""
