"""What a run downloads: sources, models, benchmarks and environments, each by its pin."""

import re
from typing import Any

from lemur.config import paths, stages
from lemur.config.values import Values
from lemur.dag.run import Run


def manifests(folder: str, entry: Values) -> list[str]:
    """manifest.json of every part of an entry below resources/<folder>/."""
    parts = entry.get("parts", 1)
    return [
        paths.MANIFEST.format(folder=folder, name=entry["name"], part=part, parts=parts)
        for part in range(parts)
    ]


class Downloads:
    """The downloads of a run."""

    def __init__(self, run: Run):
        self.run = run

    def model_entry(self, name: str) -> Values:
        """The starting model or a baseline, by name."""
        listed = [*(point["base"] for point in self.run.recipes.values()), *self.run.baselines]
        return next(entry for entry in listed if entry["name"] == name)

    def model(self, name: str) -> list[str]:
        """A model's download; none where it is initialised at random, is a folder or is served."""
        entry = self.model_entry(name)
        return (
            manifests("models", entry) if "random" not in entry.get("from", {"random": 0}) else []
        )

    def base(self, wildcards: Any) -> list[str]:
        """The download that a model is prepared from."""
        return self.model(wildcards.base)

    @property
    def bases(self) -> list[str]:
        """Downloads of the models that the run starts from."""
        names = dict.fromkeys(point["base"]["name"] for point in self.run.recipes.values())
        return [path for name in names for path in self.model(name)]

    @property
    def sft_sources(self) -> list[Values]:
        """Sources of conversations that are downloaded."""
        return [source for source in self.run.recipe["sft"]["sources"] if "from" in source]

    @property
    def sft(self) -> list[str]:
        """Downloads of those."""
        return [path for source in self.sft_sources for path in manifests("corpora", source)]

    @property
    def benchmarks(self) -> list[str]:
        """Downloads of the benchmarks that have data of their own."""
        return [
            path
            for item in stages.downloaded_benchmarks(self.run.recipe)
            for path in manifests("benchmarks", item)
        ]

    @property
    def agents(self) -> list[str]:
        """What the recipe's agents play with, as far as it does not come with the project."""
        listed = self.run.recipe.get("agents", {}).get("environments", [])
        names = [
            entry["environment"] for entry in listed if "data" in entry and not entry["shipped"]
        ]
        names += [entry["games"] for entry in listed if "games" in entry]
        return [
            path
            for name in dict.fromkeys(names)
            for path in manifests("environments", {"name": name})
        ]

    @property
    def all(self) -> list[str]:
        """Everything that the run reads from elsewhere: after these the network may be off."""
        scored = [path for entry in self.run.baselines for path in self.model(entry["name"])]
        scored += self.agents
        if self.run.only_scores:
            return [*scored, *self.benchmarks]
        corpora = [path for source in self.run.sources() for path in manifests("corpora", source)]
        listed = [*self.bases, *corpora, *self.sft, *self.benchmarks]
        return [*listed, *(path for path in scored if path not in listed)]

    def entry(self, folder: str, name: str) -> Values:
        """The pin behind resources/<folder>/<name>."""
        if folder == "models":
            return self.model_entry(name)
        if folder == "benchmarks":
            listed = self.run.recipe["evaluate"]["benchmarks"]
            chosen = next(entry for entry in listed if entry["name"] == name)
            return {**chosen["data"], "name": name}
        if folder == "environments":
            return {**self.run.catalogue("environments")[name]["data"], "name": name}
        return next(x for x in [*self.run.sources(), *self.sft_sources] if x["name"] == name)

    def slice(self, wildcards: Any, folder: str) -> Values:
        """What one part of a download is made of."""
        entry = self.entry(folder, wildcards.name)
        return stages.download(wildcards.name, entry, int(wildcards.part))

    @property
    def generated_names(self) -> str:
        """Sources that a program writes here, as a pattern; one that nothing matches where none is."""
        names = [x["name"] for x in self.run.sources() if "generator" in x.get("from", {})]
        return "|".join(map(re.escape, names)) or "(?!)"

    @property
    def fetched_names(self) -> str:
        """All other names, as a pattern."""
        return rf"(?!(?:{self.generated_names})/)[^/]+"


def records_slice(table: str) -> Values:
    """The pinned trajectory files of reports/paper/mint_records.tsv, its text, as one download."""
    lines = table.splitlines()
    names = lines[0].split("\t")
    rows = [dict(zip(names, line.split("\t"), strict=False)) for line in lines[1:]]
    files = [
        {"path": row["path"], "sha256": row["sha256"], "size": int(row["bytes"])} for row in rows
    ]
    source: Values = {key: rows[0][key] for key in ("repository", "commit")}
    source["url"] = "https://raw.githubusercontent.com/{repository}/{commit}/{path}"
    return {"name": "mint", "from": {**source, "files": files}, "licence": rows[0]["licence"]}
