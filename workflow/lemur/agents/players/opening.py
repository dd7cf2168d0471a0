"""The players of a stage: whoever answers, and the teacher where the environment has one."""

from pathlib import Path
from typing import Any

from lemur.agents.players.player import Player
from lemur.core.errors import UserError, nearest

BACKENDS = ("transformers", "vllm", "server")


class Players:
    """Opens models as players; a model that is asked for twice is loaded once.

    ``rows`` turns are answered at a time, with ``precision`` of weights and arithmetic and at most
    ``context`` tokens (None: the model's own; a server has its own). ``label`` begins a server's
    complaints.
    """

    def __init__(self, rows: int, precision: str, seed: int, context: int | None, label: str):
        self.rows, self.precision, self.seed = rows, precision, seed
        self.context, self.label = context, label
        self.opened: dict[tuple[str, str], Player] = {}

    def open(self, backend: dict[str, Any], folder: Path) -> Player:
        """The model in ``folder`` by ``backend``, or the one that a server has."""
        key = backend["name"], str(backend.get("url", folder)) + str(backend.get("served", ""))
        if key not in self.opened:
            self.opened[key] = self._open(backend, folder)
        return self.opened[key]

    def _open(self, backend: dict[str, Any], folder: Path) -> Player:
        name = backend["name"]
        if name == "server":
            from lemur.agents.players.server import ServerPlayer
            from lemur.evaluation.backends.completions import CompletionsClient

            client = CompletionsClient(backend["url"], backend["served"], self.label)
            return ServerPlayer(client, self.rows)
        if name == "vllm":
            from lemur.agents.players.vllm import VllmPlayer
            from lemur.evaluation.backends.vllm_backend import VllmBackend
            from lemur.evaluation.spec import Decoding

            made = VllmBackend(folder, self.precision, Decoding(), self.seed, self.label)
            return VllmPlayer(made, folder, self.context)
        if name == "transformers":
            from lemur.agents.players.engine import EnginePlayer
            from lemur.inference.engine import Engine

            return EnginePlayer(Engine(folder, self.precision), folder, self.rows, self.context)
        raise UserError(f"--spec: backend '{name}'{nearest(name, BACKENDS)}")

    def close(self) -> None:
        """End what is under way."""
        for player in self.opened.values():
            player.close()
