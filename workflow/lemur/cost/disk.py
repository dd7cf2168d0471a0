"""Disk that a recipe fills, by stage, in bytes. Estimates: what is pinned is known, the rest is not."""

from typing import Any

from lemur.cost.architecture import parameters

# Assumed, and said so by the plan: text in a source archive, zstd on cleaned documents, and bytes
# that a token covers (Llama's and SmolLM2's vocabularies on mixed code and prose lie at 3 to 4).
TEXT_PER_ARCHIVE_BYTE = 1.2
CLEANED_PER_TEXT_BYTE = 0.35
TEXT_BYTES_PER_TOKEN = 3.5


def download_bytes(entry: dict[str, Any]) -> float | None:
    """Bytes that a pinned thing takes to fetch; None where nothing says."""
    if "estimate" in entry:
        return entry["estimate"]["download_gb"] * 1e9
    if "size" in entry:
        return float(entry["size"])
    listed = entry.get("from", {}).get("files", [])
    sizes = [item["size"] for item in listed if isinstance(item, dict)]
    return float(sum(sizes)) if sizes else None


def text_bytes(source: dict[str, Any]) -> float | None:
    """Bytes of text that a source keeps at most; None where nothing says."""
    fetched = download_bytes(source)
    if "estimate" in source:
        text = source["estimate"]["text_gb"] * 1e9
    else:
        text = None if fetched is None else fetched * TEXT_PER_ARCHIVE_BYTE
    limit = source.get("max_mb")
    if limit is not None:
        text = limit * 1e6 if text is None else min(text, limit * 1e6)
    return text


def checkpoint_bytes(recipe: dict[str, Any]) -> int:
    """Bytes of one checkpoint: float32 weights and Adam's two moments."""
    return 12 * parameters(recipe["base"]["architecture"])["total"]


def _weights(recipe: dict[str, Any]) -> float:
    """Bytes of the starting model's download: as pinned, or 16-bit weights from the hub."""
    base = recipe["base"]
    pinned = download_bytes(base)
    if pinned is None and "hub" in base.get("from", {}):
        return 2.0 * parameters(base["architecture"])["total"]
    return pinned or 0.0


def disk(recipe: dict[str, Any]) -> dict[str, float]:
    """Bytes by stage and ``total``. What nothing says a size of counts as nothing: see ``unsized``."""
    shape, sources = recipe["base"]["architecture"], recipe["corpus"]["sources"]
    fetched = [*sources, *recipe["sft"]["sources"]]
    fetched += [item["data"] for item in recipe["evaluate"]["benchmarks"]]
    text = sum(text_bytes(source) or 0.0 for source in sources)
    width = 2 if shape["vocabulary"] <= 65_536 else 4
    # While one is written the older ones still stand.
    kept = sum(recipe[stage]["checkpoint"]["keep"] + 1 for stage in ("pretrain", "sft"))
    stored = 4 if recipe["pretrain"]["precision"] == "fp32" else 2
    parts = {
        "download": sum(download_bytes(entry) or 0.0 for entry in fetched) + _weights(recipe),
        "cleaned": text * CLEANED_PER_TEXT_BYTE,
        "tokens": text / TEXT_BYTES_PER_TOKEN * width,
        "checkpoints": float(kept * checkpoint_bytes(recipe)),
        "models": 3.0 * stored * parameters(shape)["total"],
    }
    return {**parts, "total": sum(parts.values())}


def unsized(recipe: dict[str, Any]) -> list[str]:
    """Names of what is fetched without anybody having said how large it is."""
    listed = [*recipe["corpus"]["sources"], *recipe["sft"]["sources"]]
    return [x["name"] for x in listed if "from" in x and download_bytes(x) is None]


def unresolved(recipe: dict[str, Any]) -> list[str]:
    """Names of what cannot be fetched yet because its hub revision is not pinned."""
    listed = [recipe["base"], *recipe["corpus"]["sources"], *recipe["sft"]["sources"]]
    listed += [{**x["data"], "name": x["name"]} for x in recipe["evaluate"]["benchmarks"]]
    return [x["name"] for x in listed if x.get("from", {}).get("revision") == "unresolved"]
