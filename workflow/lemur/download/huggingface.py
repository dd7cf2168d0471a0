"""Files of a Hugging Face repository at a pinned commit, through ``huggingface_hub``.

The library lists files, builds addresses and finds the token; the bytes come through our own
transfer, so that one resumable and verified path serves every kind of source.
"""

import contextlib
import fnmatch
import os
import re
from collections.abc import Iterator
from pathlib import Path
from typing import Any

from lemur.core.errors import UserError
from lemur.core.log import logger
from lemur.download import hub_lock, offline, pip_settings
from lemur.download.failures import shown
from lemur.download.transfer import Pin, Remote

_COMMIT = re.compile(r"^[0-9a-f]{40}$")


def endpoint() -> str:
    """The hub's address: ``HF_ENDPOINT``, read now rather than when the library was imported."""
    from huggingface_hub import constants

    return (os.environ.get("HF_ENDPOINT") or constants.ENDPOINT).rstrip("/")


def _access(source: dict) -> str:
    return (
        f"{source['hub']} is gated or private: accept its terms on its hub page and set HF_TOKEN "
        "to a token that may read it"
    )


def locate(source: dict, label: str) -> list[tuple[str, Remote, Pin]]:
    """(path, remote, pin) of every file that ``source["files"]`` (globs) selects, sorted by path.

    ``source`` = {hub: owner/name, repo_type: dataset|model, revision: commit, files: [glob], and
    sha256: {path: hash} where some are known}. ``*`` matches ``/`` too. ``UserError`` for a revision
    that is no commit, a repository or file that is not there, one that asks for a token, and one
    whose hash is another than the known.
    """
    revision = str(source.get("revision", ""))
    if revision == "newest":  # a model that a user named without a commit, to be scored
        offline.refuse(label)
        revision = newest(source, label)
        logger.info(f"{label}: {source['hub']} stands at {revision}: add @{revision} to pin it")
    if not _COMMIT.match(revision):
        raise UserError(
            f"{label}: from.revision is {revision!r}: a commit of 40 hex digits is needed, since a "
            "branch can change; `workflow/env-run data python scripts/1_corpus/resolve.py --write` "
            "looks it up and writes it down"
        )
    found = hub_lock.files(source)
    if found is None:
        offline.refuse(label)
        found = listed(source, revision, label)
    held(source, found, label)
    return [_remote(source, revision, file, label) for file in found]


def listed(source: dict, revision: str, label: str) -> list[dict[str, Any]]:
    """{path, size, sha256 or git_sha1} of each chosen file at a commit, sorted by path, from the hub."""
    entries = _listing(source, revision, label)
    globs = source.get("files") or ["*"]
    for glob in globs:
        if not any(fnmatch.fnmatchcase(entry.path, glob) for entry in entries):
            raise UserError(
                f"{label}: from.files {glob!r} matches none of the {len(entries):,} files of "
                f"{source['hub']} at {revision[:12]}"
            )
    chosen = [e for e in entries if any(fnmatch.fnmatchcase(e.path, glob) for glob in globs)]
    return [
        {"path": e.path, "size": e.lfs.size, "sha256": e.lfs.sha256}
        if e.lfs
        else {"path": e.path, "size": e.size, "git_sha1": e.blob_id}
        for e in chosen
    ]


def held(source: dict, files: list[dict[str, Any]], label: str) -> None:
    """``UserError`` where the hub's files are not those that ``source["sha256"]`` pins."""
    listed = {file["path"]: file for file in files}
    for path, known in source.get("sha256", {}).items():
        if path not in listed:
            raise UserError(f"{label}: from.sha256 names {path!r}, which is not taken")
        if (has := listed[path].get("sha256", known)) != known:
            raise UserError(
                f"{label}: {path}: the hub has sha256 {has} where {known} is pinned: refused"
            )


def _remote(source: dict, revision: str, file: dict, label: str) -> tuple[str, Remote, Pin]:
    from huggingface_hub import hf_hub_url
    from huggingface_hub.utils import build_hf_headers

    url = hf_hub_url(
        source["hub"],
        file["path"],
        repo_type=source.get("repo_type", "dataset"),
        revision=revision,
        endpoint=endpoint(),
    )
    known = source.get("sha256", {}).get(file["path"], file.get("sha256"))
    pin = Pin(sha256=known, git_sha1=file.get("git_sha1"), size=file["size"])
    remote = Remote(url, f"{label}: {file['path']}", build_hf_headers(), _access(source))
    return file["path"], remote, pin


def _listing(source: dict, revision: str, label: str) -> list:
    """All files of the repository at ``revision``, sorted by path."""
    with _one_line(source, label) as api:
        from huggingface_hub.hf_api import RepoFile

        kind = source.get("repo_type", "dataset")
        tree = api.list_repo_tree(source["hub"], recursive=True, revision=revision, repo_type=kind)
        return sorted((e for e in tree if isinstance(e, RepoFile)), key=lambda e: e.path)
    raise AssertionError("unreachable")


@contextlib.contextmanager
def _one_line(source: dict, label: str) -> Iterator[Any]:
    """The hub's interface; what it raises comes out as one ``UserError``.

    The library itself asks five times more when the hub is busy or silent, and says so.
    """
    # Its HTTP client reads this variable, not the ones that pip and requests read.
    bundle = pip_settings.certificates()
    if bundle and Path(bundle).exists():
        os.environ.setdefault("SSL_CERT_FILE", bundle)
    from huggingface_hub import HfApi, errors

    name, kind = source["hub"], source.get("repo_type", "dataset")
    try:
        yield HfApi(endpoint=endpoint())
        return
    except errors.GatedRepoError:
        raise UserError(f"{label}: {_access(source)}") from None
    except errors.RevisionNotFoundError:
        asked = source.get("branch") or source.get("revision")
        raise UserError(f"{label}: {name} has no branch or commit {asked}") from None
    except errors.RepositoryNotFoundError:
        raise UserError(
            f"{label}: the hub has no {kind} {name!r}, or it is private: check its name, or "
            "set HF_TOKEN to a token that may read it"
        ) from None
    except errors.HFValidationError:
        raise UserError(f"{label}: from.hub {name!r} is no repository name") from None
    except errors.HfHubHTTPError as error:
        status = error.response.status_code if error.response is not None else "none"
        if status in (401, 403):
            raise UserError(f"{label}: {_access(source)}") from None
        why = f"HTTP {status}"
    except Exception as error:  # the client behind the library changes with its version
        if type(error).__module__.split(".")[0] not in ("httpx", "httpx2", "httpcore2"):
            raise
        why = f"no answer ({type(error).__name__})"
    raise UserError(
        f"{label}: {shown(endpoint())}: {why}: is there a network? The same command continues"
    )


def newest(source: dict, label: str) -> str:
    """The commit that ``source["branch"]``, else the default branch, stands at now."""
    offline.refuse(label)
    kind = source.get("repo_type", "dataset")
    with _one_line(source, label) as api:
        return str(api.repo_info(source["hub"], repo_type=kind, revision=source.get("branch")).sha)
    raise AssertionError("unreachable")
