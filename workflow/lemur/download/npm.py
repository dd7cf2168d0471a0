"""An npm registry: the tarball of a pinned version, at the address that the registry gives."""

from urllib.parse import quote, urlsplit

import requests
from packageurl.contrib import purl2url

from lemur.core.errors import UserError
from lemur.download import npm_settings
from lemur.download.failures import shown
from lemur.download.retry import patiently
from lemur.download.transfer import Remote


def default_registry() -> str:
    """The public registry, as the package-URL library knows it."""
    parts = urlsplit(str(purl2url.get_download_url("pkg:npm/any@1.0.0")))
    return f"{parts.scheme}://{parts.netloc}"


def locate(source: dict, session: requests.Session, label: str) -> Remote:
    """The address of ``source`` = {index: npm, package, version, file}.

    ``UserError`` for a package or version that the registry lacks, an answer that is none of a
    registry's, and a version whose tarball has another name than ``file``.
    """
    address = npm_settings.registry(default_registry())
    if urlsplit(address).scheme not in ("http", "https"):
        raise UserError(
            f"{label}: npm's registry {shown(address)} is no http(s) address: set "
            "npm_config_registry"
        )
    package, version = source["package"], source["version"]
    page = f"{address}/{quote(package, safe='@')}/{quote(version)}"

    def ask() -> requests.Response:
        answer = session.get(page)
        if answer.status_code != 404:
            answer.raise_for_status()
        return answer

    answer = patiently(ask, label, address)
    if answer.status_code == 404:
        raise UserError(f"{label}: the npm registry has no {package} {version}")
    try:
        url = str(answer.json()["dist"]["tarball"])
    except (requests.exceptions.JSONDecodeError, KeyError, TypeError):
        raise UserError(f"{label}: {shown(page)} does not answer as an npm registry") from None
    name = urlsplit(url).path.rsplit("/", 1)[-1]
    if urlsplit(url).scheme not in ("http", "https") or name != source["file"]:
        raise UserError(
            f"{label}: the tarball of {package} {version} is {name!r}, not {source['file']!r}"
        )
    return Remote(url, label)
