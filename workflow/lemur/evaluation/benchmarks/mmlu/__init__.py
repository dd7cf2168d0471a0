"""MMLU (Hendrycks et al. 2021, arXiv 2009.03300): multiple choice over 57 subjects."""

from lemur.core.errors import UserError
from lemur.evaluation.benchmark import Benchmark, Problems
from lemur.evaluation.documents import Split, need, need_texts, rows
from lemur.evaluation.source import Source


class MMLU(Benchmark):
    """Questions by subject, with solved examples of the same subject."""

    def read(self, source: Source, member: str) -> Problems:
        found: dict[str, Split] = {}
        for split in ("dev", "test"):
            listed = (path for path in source.files if path.name.startswith(f"{split}-"))
            paths = [source.checked(path) for path in listed]
            places = ((path, row) for path in paths for row in enumerate(rows(path)))
            for number, (path, (place, row)) in enumerate(places):
                where = f"{path}: row {place}"
                need(row, where, question=str, subject=str, choices=list, answer=int)
                need_texts(row["choices"], 4, f"{where}: 'choices'")
                if not 0 <= row["answer"] < 4 or len(row["choices"]) != 4:
                    raise UserError(f"{where}: 'answer' must be one of 4 choices, 0 to 3")
                row["_id"] = f"{row['subject']}/{split}/{number}"
                subject = found.setdefault(row["subject"], {"dev": [], "test": []})
                subject[split].append(row)
        for name, splits in found.items():
            if splits["test"] and not splits["dev"]:
                raise UserError(
                    f"{source.path}: no solved examples of '{name}', which dev-*.parquet has"
                )
        return found


BENCHMARK = MMLU
