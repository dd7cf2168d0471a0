"""The peers of `make bench-corpus`, each over the same parquet files; run in environment bench.

    peers.py tokenizers|fastokens TOKENIZER.json FILES...    ids with end tokens: seconds, sha256
    peers.py rensa FILES...                                  near-duplicates, LSH included
    peers.py minhash|whole FOLDER BENCHMARKS.json TOKENIZER.json INPUT/KIND...   datatrove

What it measures of itself is printed as JSON; the processor time of the whole process is the
caller's to take.
"""

import hashlib
import json
import re
import sys
import time
from pathlib import Path

import numpy as np
import pyarrow.parquet as pq

PERMUTATIONS, BANDS, WIDTH, JACCARD = 256, 32, 5, 0.85


def texts(paths):
    for path in paths:
        for batch in pq.ParquetFile(path).iter_batches(batch_size=512, columns=["text"]):
            yield batch.column(0).to_pylist()


def tokenizers(file, *paths):
    from tokenizers import Tokenizer

    tokenizer = Tokenizer.from_file(file)
    tokenizer.encode_special_tokens = True

    def encode(batch):
        return [one.ids for one in tokenizer.encode_batch_fast(batch, add_special_tokens=False)]

    end = tokenizer.token_to_id("<|endoftext|>")
    digest, seconds, size = hashlib.sha256(), 0.0, 0
    for batch in texts(paths):
        begun = time.process_time()
        rows = encode(batch)
        seconds += time.process_time() - begun
        size += sum(len(text.encode()) for text in batch)
        for row in rows:
            digest.update(np.array([*row, end], "<u2").tobytes())
    return {"seconds": seconds, "bytes": size, "sha256": digest.hexdigest()}


def fastokens(file, *paths):
    import fastokens as library

    tokenizer = library.Tokenizer.from_json_str(Path(file).read_text())
    every = list(texts(paths))
    tokenizer.encode_batch_flat(every[0][:8], split_special_tokens=True)
    begun = time.process_time()
    for batch in every:
        tokenizer.encode_batch_flat(batch, split_special_tokens=True)
    return {"seconds": time.process_time() - begun, "bytes": _size(every)}


def _size(batches):
    return sum(len(text.encode()) for batch in batches for text in batch)


def rensa(*paths):
    """Words, shingles, signatures, an LSH index, and a union of what it pairs: as its guide does."""
    import rensa as library

    word = re.compile(r"\w+")
    begun = time.process_time()
    index = library.RMinHashLSH(threshold=JACCARD, num_perm=PERMUTATIONS, num_bands=BANDS)
    count = dropped = 0
    for batch in texts(paths):
        shingles = []
        for text in batch:
            words = word.findall(text)
            last = max(1, len(words) - WIDTH + 1)
            shingles.append({" ".join(words[k : k + WIDTH]) for k in range(last)})
        for from_token_set in library.RMinHash.from_token_sets(
            [list(x) for x in shingles], PERMUTATIONS, 42
        ):
            near = any(found != count for found in index.query(from_token_set))
            index.insert(count, from_token_set)
            dropped += near
            count += 1
    return {"seconds": time.process_time() - begun, "documents": count, "dropped": dropped}


def _datatrove(folder, benchmarks, tokenizer, kinds, whole):
    from datatrove.executor import LocalPipelineExecutor
    from datatrove.pipeline.decont.n_grams import (
        NGramsDecontConfig,
        NGramsDecontFilter,
        NGramsDecontIndexer,
    )
    from datatrove.pipeline.dedup import (
        MinhashDedupBuckets,
        MinhashDedupCluster,
        MinhashDedupFilter,
        MinhashDedupSignature,
    )
    from datatrove.pipeline.dedup.minhash import MinhashConfig
    from datatrove.pipeline.filters import (
        GopherQualityFilter,
        GopherRepetitionFilter,
        LambdaFilter,
    )
    from datatrove.pipeline.formatters import PIIFormatter
    from datatrove.pipeline.readers import ParquetReader
    from datatrove.pipeline.tokens import DocumentTokenizer
    from datatrove.pipeline.writers import ParquetWriter

    def go(name, *steps, tasks=1):
        LocalPipelineExecutor(
            pipeline=list(steps), tasks=tasks, workers=1, logging_dir=f"{folder}/logs/{name}"
        ).run()

    def code(document):
        """StarCoder's rules for code, as the corpus file has them."""
        lines = document.text.split("\n")
        longest = max(map(len, lines))
        share = sum(map(str.isalnum, document.text)) / max(1, len(document.text))
        return longest <= 1_000 and len(document.text) / len(lines) <= 100 and share >= 0.25

    config = MinhashConfig(
        n_grams=WIDTH, num_buckets=BANDS, hashes_per_bucket=PERMUTATIONS // BANDS
    )
    documents = []
    for kind in kinds:
        kind = Path(kind)
        documents.append(str(kind))
        if whole:
            rules = [LambdaFilter(code)]
            if kind.name == "text":
                rules = [GopherQualityFilter(max_doc_words=200_000), GopherRepetitionFilter()]
            out = f"{folder}/clean/{kind.name}"
            reader = ParquetReader(str(kind), glob_pattern="**/*.parquet", text_key="text")
            go(f"clean-{kind.name}", reader, *rules, PIIFormatter(), ParquetWriter(out))
            documents[-1] = out
    for k, path in enumerate(documents):
        reader = ParquetReader(path, glob_pattern="**/*.parquet")
        sign = MinhashDedupSignature(f"{folder}/signatures-{k}", config)
        go(f"signatures-{k}", reader, sign)
    # One folder of signatures a task is what the next step reads.
    joined = Path(folder) / "signatures"
    for k in range(len(documents)):
        for path in (Path(folder) / f"signatures-{k}").glob("bucket_*/*"):
            (joined / path.parent.name).mkdir(parents=True, exist_ok=True)
            path.rename(joined / path.parent.name / path.name.replace("00000", f"{k:05d}"))
    buckets = MinhashDedupBuckets(str(joined), f"{folder}/buckets", config=config)
    go("buckets", buckets, tasks=BANDS)
    cluster = MinhashDedupCluster(f"{folder}/buckets", f"{folder}/remove", config=config)
    go("cluster", cluster)
    removed = sum(path.stat().st_size // 4 for path in Path(folder).glob("remove/*.remove"))
    if whole:
        _index(NGramsDecontIndexer, NGramsDecontConfig(n_grams=13), benchmarks, f"{folder}/index")
        for k, path in enumerate(documents):
            # The filter looks for the list of its own rank, which is 0 here.
            own = Path(folder) / f"remove-{k}"
            own.mkdir()
            listed = Path(folder) / "remove" / f"{k:05d}.remove"
            if listed.exists():
                (own / "00000.remove").write_bytes(listed.read_bytes())
            go(
                f"tokens-{k}",
                ParquetReader(path, glob_pattern="**/*.parquet"),
                *([MinhashDedupFilter(str(own))] if listed.exists() else []),
                NGramsDecontFilter(f"{folder}/index", config=NGramsDecontConfig(n_grams=13)),
                DocumentTokenizer(
                    f"{folder}/tokens-{k}",
                    tokenizer,
                    eos_token="<|endoftext|>",
                    shuffle_documents=False,
                    local_working_dir=f"{folder}/working-{k}",
                ),
            )
    return {"removed": removed}


def _index(indexer, config, benchmarks, folder):
    """What NGramsDecontIndexer writes, for problems that are no task of lighteval."""
    # lighteval is asked for, and needed only for its own tasks.
    indexer._requires_dependencies = []
    made = indexer(folder, config=config)
    Path(folder).mkdir(parents=True, exist_ok=True)
    for name, statements in json.loads(Path(benchmarks).read_text()).items():
        hashes = {value for text in statements for value in made.compute_hashes(text, None)}
        kind = made.config.hash_config.np_descr
        np.array(sorted(hashes), kind).tofile(f"{folder}/{name}.index.hashes")


def minhash(folder, benchmarks, tokenizer, *kinds):
    return _datatrove(folder, benchmarks, tokenizer, kinds, whole=False)


def whole(folder, benchmarks, tokenizer, *kinds):
    return _datatrove(folder, benchmarks, tokenizer, kinds, whole=True)


if __name__ == "__main__":
    peers = (tokenizers, fastokens, rensa, minhash, whole)
    chosen = {peer.__name__: peer for peer in peers}[sys.argv[1]]
    print("RESULT " + json.dumps(chosen(*sys.argv[2:])))
