"""What a job asks of its machine, in a site's words, and which jobs go together."""

import functools
from typing import Any

from lemur.config import site
from lemur.core import contracts
from lemur.cost import resources
from lemur.cost.recipe import Model
from lemur.cost.resources import Ask
from lemur.dag.run import Run, one_line
from lemur.dag.stage import STAGES

# Three rules read one shard of the corpus: one SLURM job where a job of the site has room for them.
# Several shards are not joined, since a group asks for what all its members need side by side.
SHARD = ("clean", "signatures", "tokenize")
# How many jobs download at a time is the user's to say: --resources downloads=4.
DOWNLOADING = ("download", "fetch_records")


class Requests:
    """The resources of a run's jobs. ``on_nodes``: jobs are sent to nodes, or their plan is shown."""

    def __init__(self, run: Run, *, on_nodes: bool):
        self.run, self.on_nodes = run, on_nodes
        self._asks: dict[str, list[Ask]] = {}

    def shard_asks(self, source: str) -> list[Ask]:
        """What the rules of a source's shards ask for where they are one SLURM job; else nothing."""
        if source not in self._asks:
            entry = next(x for x in self.run.view.corpus.sources if x.name == source)
            asks = [resources.ask(self.run.view, rule, entry) for rule in SHARD]
            self._asks[source] = asks if site.fit_together(asks, self.run.site) else []
        return self._asks[source]

    def shard_group(self, wildcards: Any) -> str | None:
        """The group of a shard's jobs; None where each is a job of its own."""
        return "shard" if self.on_nodes and self.shard_asks(wildcards.source) else None

    def threads(self, part: str) -> int:
        """Threads of training (pretrain, sft) and of generation (evaluate)."""
        return resources.threads(self.run.view, part)

    def asked(self, rule: str) -> dict[str, Any]:
        """What a rule's jobs ask for, derived from the recipe and grown with the attempt."""
        stage = STAGES[rule]
        alike = resources.ask(self.run.view, rule)
        request = functools.partial(self._request, rule, alike)
        return {
            **({"downloads": 1} if rule in DOWNLOADING else {}),
            # A resource, since a changed param would run the job again.
            **({"recipe_digest": self.run.cell_digest} if stage.cell else {}),
            "mem_mb": lambda wildcards, attempt: request(wildcards, attempt).memory_mb,
            "runtime": lambda wildcards, attempt: request(wildcards, attempt).minutes,
            **site.words(alike, self.run.site),
        }

    def _request(self, rule: str, alike: Ask, wildcards: Any, attempt: int) -> Ask:
        run, read = self.run, STAGES[rule].reads
        found = read(run, wildcards) if read else None
        entry = contracts.part(Model, found, rule) if found else None
        played = None
        if rule == "play":
            listed = run.view.agents.environments if run.view.agents else ()
            played = [x for x in listed if x.name == wildcards.environment]
        recipe = run.views.get(dict(wildcards).get("recipe"), run.view)
        own = entry or played or recipe is not run.view
        first = resources.ask(recipe, rule, entry, played) if own else alike
        group = self.shard_asks(wildcards.source) if rule in SHARD else []
        with one_line():
            return site.request(first, attempt, run.site, rule, group)
