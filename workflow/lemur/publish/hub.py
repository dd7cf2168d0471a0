"""The model hub: weights and card in a model's repository, everything else in a data set's of that name.

Through the hub's own library, which reads HF_ENDPOINT and HF_TOKEN (or the file that HF_TOKEN_PATH
names). A repository that is not there yet is made private: its owner opens it.
"""

import hashlib
from collections.abc import Iterator, Mapping, Sequence
from pathlib import Path
from typing import Any

from huggingface_hub import CommitOperationAdd, HfApi, constants, get_token
from huggingface_hub.errors import HfHubHTTPError, RepositoryNotFoundError

from lemur.core.errors import UserError
from lemur.core.files import sha256_of
from lemur.core.progress import Progress
from lemur.publish.offer import File, Part
from lemur.publish.secret import Token, checked_endpoint

# One commit holds so much: what a kill can lose.
COMMIT_BYTES, COMMIT_FILES = 1_000_000_000, 100
KINDS = {"model": "model", "dataset": "dataset", "report": "dataset", "crate": "dataset"}


def endpoint() -> str:
    """The hub that the environment names, or the usual one."""
    return checked_endpoint(constants.ENDPOINT, "HF_ENDPOINT")


def token() -> Token:
    """As the hub's library finds it."""
    found = get_token()
    if not found:
        raise UserError("publish: no token: set HF_TOKEN, or HF_TOKEN_PATH to a file that holds it")
    return Token(found, "HF_TOKEN")


def _git_sha1(path: Path) -> str:
    """What git, and so the hub, calls the bytes of a file that is no large one."""
    digest = hashlib.sha1(b"blob %d\0" % path.stat().st_size, usedforsecurity=False)
    with open(path, "rb") as file:
        while block := file.read(1 << 20):
            digest.update(block)
    return digest.hexdigest()


def _missing(api: HfApi, repository: str, kind: str, files: Sequence[File]) -> list[File]:
    """The files that the repository does not hold with the same size and hash."""
    listed = api.list_repo_tree(repository, recursive=True, repo_type=kind)
    held: dict[str, Any] = {entry.path: entry for entry in listed if hasattr(entry, "size")}

    def there(file: File) -> bool:
        entry = held.get(file.place)
        if entry is None or entry.size != file.size:
            return False
        if entry.lfs:
            return bool(entry.lfs.sha256 == sha256_of(file.path))
        return bool(entry.blob_id == _git_sha1(file.path))

    return [file for file in files if not there(file)]


def _commits(files: Sequence[File]) -> Iterator[list[File]]:
    batch: list[File] = []
    for file in files:
        if batch and (
            len(batch) >= COMMIT_FILES
            or sum(waiting.size for waiting in batch) + file.size > COMMIT_BYTES
        ):
            yield batch
            batch = []
        batch.append(file)
    if batch:
        yield batch


def send(spec: Mapping[str, Any], parts: Sequence[Part], secret: Token) -> list[str]:
    """Send all parts to ``spec['repository']`` and return what to tell. What is there is not sent again."""
    try:
        return _send(spec, parts, secret)
    except HfHubHTTPError as error:
        if error.response is not None and error.response.status_code in (401, 403):
            raise UserError(
                f"hub: {endpoint()} does not accept the token (HTTP {error.response.status_code}): "
                f"it needs to write to {spec['repository']}"
            ) from None
        raise


def _send(spec: Mapping[str, Any], parts: Sequence[Part], secret: Token) -> list[str]:
    repository = spec["repository"]
    api = HfApi(endpoint=endpoint(), token=secret.reveal(), library_name="lemur")
    lines = []
    for kind in dict.fromkeys(KINDS[part.name] for part in parts):
        mine = [part for part in parts if KINDS[part.name] == kind]
        files = sorted((file for part in mine for file in part.files), key=lambda file: file.place)
        try:
            api.repo_info(repository, repo_type=kind)
        except RepositoryNotFoundError:
            api.create_repo(repository, repo_type=kind, private=True, exist_ok=True)
        missing = _missing(api, repository, kind, files)
        with Progress(f"send {kind}", sum(file.size for file in missing), "bytes") as progress:
            for batch in _commits(missing):
                api.create_commit(
                    repository,
                    [CommitOperationAdd(file.place, str(file.path)) for file in batch],
                    commit_message=f"Lemur pipeline, recipe {spec['recipe']}",
                    repo_type=kind,
                )
                progress.add(sum(file.size for file in batch))
        names = ", ".join(part.name for part in mine)
        lines.append(f"{names}: {len(missing):,} files sent, {len(files) - len(missing):,} there already")  # fmt: skip
        prefix = "datasets/" if kind == "dataset" else ""
        lines.append(f"{endpoint()}/{prefix}{repository}")
    return lines
