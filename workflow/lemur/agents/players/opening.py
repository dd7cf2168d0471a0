"""The players of a stage: whoever answers, and the teacher where the environment has one."""

from dataclasses import dataclass
from pathlib import Path

from lemur.agents.players.player import Player
from lemur.config.address import checked_url
from lemur.core.errors import UserError, nearest

BACKENDS = ("transformers", "vllm", "server")


@dataclass(frozen=True)
class Backend:
    """What answers: a library on this machine, or a server with its ``url`` and the name ``served`` that
    it has the model by."""

    name: str = "transformers"
    url: str | None = None
    served: str | None = None


def check_backend(given: Backend, where: str) -> None:
    """``UserError``, which begins with ``where``, for a backend that is none, a server without its address
    or the model's name there, or another one with them."""
    if given.name not in BACKENDS:
        raise UserError(f"{where} '{given.name}'{nearest(given.name, BACKENDS)}")
    if given.name == "server":
        checked_url(given.url or "", f"{where}.url")
        if given.served is None:
            raise UserError(f"{where}.served: the name that a server has the model by")
    elif given.url is not None or given.served is not None:
        raise UserError(f"{where}: url and served go with name: server, not with '{given.name}'")


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

    def open(self, backend: Backend, folder: Path) -> Player:
        """The model in ``folder`` by ``backend``, or the one that a server has."""
        key = backend.name, f"{backend.url or folder}{backend.served or ''}"
        if key not in self.opened:
            self.opened[key] = self._open(backend, folder)
        return self.opened[key]

    def _open(self, backend: Backend, folder: Path) -> Player:
        name = backend.name
        if backend.url is not None and backend.served is not None:
            from lemur.agents.players.server import ServerPlayer
            from lemur.evaluation.backends.completions import CompletionsClient

            client = CompletionsClient(backend.url, backend.served, self.label)
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
