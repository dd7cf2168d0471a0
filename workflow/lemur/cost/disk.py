"""Disk that a recipe fills, by stage, in bytes. Estimates: what is pinned is known, the rest is not."""

from lemur.cost.architecture import parameters
from lemur.cost.recipe import Entry, File, Recipe

# Assumed, and said so by the plan: text in a source archive, zstd on cleaned documents, and bytes
# that a token covers (Llama's and SmolLM2's vocabularies on mixed code and prose lie at 3 to 4).
TEXT_PER_ARCHIVE_BYTE = 1.2
CLEANED_PER_TEXT_BYTE = 0.35
TEXT_BYTES_PER_TOKEN = 3.5


def download_bytes(entry: Entry) -> float | None:
    """Bytes that a pinned thing takes to fetch; None where nothing says."""
    if entry.estimate:
        return entry.estimate.download_gb * 1e9
    if entry.size is not None:
        return float(entry.size)
    listed = entry.origin.files if entry.origin else ()
    sizes = [item.size for item in listed if isinstance(item, File)]
    return float(sum(sizes)) if sizes else None


def text_bytes(source: Entry) -> float | None:
    """Bytes of text that a source keeps at most; None where nothing says."""
    fetched = download_bytes(source)
    text: float | None
    if source.estimate:
        text = source.estimate.text_gb * 1e9
    else:
        text = None if fetched is None else fetched * TEXT_PER_ARCHIVE_BYTE
    if source.max_mb is not None:
        text = source.max_mb * 1e6 if text is None else min(text, source.max_mb * 1e6)
    return text


def checkpoint_bytes(recipe: Recipe) -> int:
    """Bytes of one checkpoint: float32 weights and Adam's two moments."""
    return 12 * parameters(recipe.base.architecture)["total"]


def _weights(recipe: Recipe) -> float:
    """Bytes of the starting model's download: as pinned, or 16-bit weights from the hub."""
    base, pinned = recipe.base, download_bytes(recipe.base)
    if pinned is None and base.origin and base.origin.hub:
        return 2.0 * parameters(base.architecture)["total"]
    return pinned or 0.0


def disk(recipe: Recipe) -> dict[str, float]:
    """Bytes by stage and ``total``. What nothing says a size of counts as nothing: see ``unsized``."""
    shape, sources = recipe.base.architecture, recipe.corpus.sources
    fetched = [*sources, *recipe.sft.sources]
    fetched += [item.data for item in recipe.evaluate.benchmarks]
    text = sum(text_bytes(source) or 0.0 for source in sources)
    width = 2 if shape.vocabulary <= 65_536 else 4
    # While one is written the older ones still stand.
    kept = sum(stage.checkpoint.keep + 1 for stage in recipe.stages.values())
    parts = {
        "download": sum(download_bytes(entry) or 0.0 for entry in fetched) + _weights(recipe),
        "cleaned": text * CLEANED_PER_TEXT_BYTE,
        "tokens": text / TEXT_BYTES_PER_TOKEN * width,
        "checkpoints": float(kept * checkpoint_bytes(recipe)),
        "models": 3.0 * recipe.pretrain.width * parameters(shape)["total"],
    }
    return {**parts, "total": sum(parts.values())}


def unsized(recipe: Recipe) -> list[str]:
    """Names of what is fetched without anybody having said how large it is."""
    listed = [*recipe.corpus.sources, *recipe.sft.sources]
    return [entry.name for entry in listed if entry.origin and download_bytes(entry) is None]


def unresolved(recipe: Recipe) -> list[str]:
    """Names of what cannot be fetched yet because its hub revision is not pinned."""
    listed = [recipe.base, *recipe.corpus.sources, *recipe.sft.sources]
    return [
        *(entry.name for entry in listed if entry.unresolved),
        *(benchmark.name for benchmark in recipe.evaluate.benchmarks if benchmark.data.unresolved),
    ]
