"""The files of a corpus: one a part of each source, by the patterns of lemur.config.paths."""

from collections.abc import Sequence
from typing import Any

from lemur.config import paths, stages
from lemur.config.values import Values
from lemur.dag.run import KINDS, Run


class CorpusFiles:
    """What is made of the sources of a run's corpus."""

    def __init__(self, run: Run):
        self.run = run

    def parts(
        self, pattern: str, kinds: Sequence[str] = KINDS, recipe: Values | None = None
    ) -> list[str]:
        """``pattern`` filled for every part of the corpus' sources of some kinds.

        ``recipe``: the cell of a study whose token files are meant, where it is not the run's.
        """
        return [
            self._fill(pattern, source, recipe, str(part), str(source.get("parts", 1)))
            for source in self.run.sources(kinds)
            for part in range(source.get("parts", 1))
        ]

    def words(
        self, pattern: str, kinds: Sequence[str] = KINDS, recipe: Values | None = None
    ) -> str:
        """The same paths as text that bash expands: thousands of them would not fit one command line."""
        listed = []
        for source in self.run.sources(kinds):
            many = source.get("parts", 1)
            numbers = "0" if many == 1 else f"{{0..{many - 1}}}"
            listed.append(self._fill(pattern, source, recipe, numbers, str(many)))
        return " ".join(listed)

    def _fill(
        self, pattern: str, source: Values, recipe: Values | None, part: str, parts: str
    ) -> str:
        return self.run.file(
            pattern,
            tokenizer=stages.token_folder(recipe or self.run.recipe, source["kind"]),
            source=source["name"],
            part=part,
            parts=parts,
        )

    @property
    def documents(self) -> list[str]:
        """Cleaned documents."""
        return self.parts(paths.DOCUMENTS)

    @property
    def statistics(self) -> list[str]:
        """Counts of what was kept and dropped."""
        return self.parts(paths.STATISTICS)

    @property
    def signatures(self) -> list[str]:
        """What near-duplicates are found by; none where only equal documents are looked for."""
        return self.parts(paths.SIGNATURES) if self.run.recipe["corpus"]["deduplication"] else []

    @property
    def duplicates(self) -> list[str]:
        """The list of duplicates of each source, in the order of the sources."""
        return [
            self.run.file(paths.DUPLICATES, source=source["name"]) for source in self.run.sources()
        ]

    @property
    def sorted_duplicates(self) -> list[str]:
        """The same in the order of their paths."""
        return sorted(self.duplicates)

    def heldout(self, wildcards: Any) -> list[str]:
        """The documents that a held-out split is drawn from; ``kind`` is code, text or fresh_code."""
        return self.parts(paths.DOCUMENTS, (wildcards.kind.rpartition("_")[2],))

    def heldout_words(self, wildcards: Any) -> str:
        """The same as text that bash expands."""
        return self.words(paths.DOCUMENTS, (wildcards.kind.rpartition("_")[2],))

    def tokens(self, wildcards: Any) -> list[str]:
        """The token files that a recipe, or a cell of a study, is packed from."""
        return self.parts(paths.TOKENS, recipe=self.run.cell(wildcards))

    def token_words(self, wildcards: Any) -> str:
        """The same as text that bash expands."""
        return self.words(paths.TOKENS, recipe=self.run.cell(wildcards))

    @property
    def takes_docstrings(self) -> bool:
        """Whether the recipe makes instructions of the functions of its code."""
        return any(s["format"] == "docstring" for s in self.run.recipe["sft"]["sources"])

    @property
    def docstring_documents(self) -> list[str]:
        """Cleaned code, where instructions are made of its functions."""
        return self.parts(paths.DOCUMENTS, ("code",)) if self.takes_docstrings else []

    @property
    def docstring_words(self) -> str:
        """The same as text that bash expands."""
        return self.words(paths.DOCUMENTS, ("code",)) if self.takes_docstrings else ""

    @property
    def token_folders(self) -> list[str]:
        """Folders of token files under results/tokens/<corpus>: models of one tokenizer share them."""
        points = self.run.recipes.values()
        return list(
            dict.fromkeys(stages.token_folder(point, kind) for point in points for kind in KINDS)
        )


def tokenizer_model(wildcards: Any) -> str:
    """The folder of the model whose tokenizer a folder of token files is made with."""
    name = stages.token_files(wildcards.tokenizer)["tokenizer"]
    return paths.BASE_FOLDER.format(base=name)
