"""A package index: find the pinned file of a pinned version. Nothing is built or installed.

Which address an index has is asked of the tool that uses it: pip, npm, apt.

``pip download`` of a source distribution runs its build; here the archive itself is fetched.
"""

from urllib.parse import urlsplit

import requests
from pypi_simple import (
    PYPI_SIMPLE_ENDPOINT,
    NoSuchProjectError,
    PyPISimple,
    UnsupportedContentTypeError,
    UnsupportedRepoVersionError,
)

from lemur.core.errors import UserError, nearest
from lemur.download import debian, npm, pip_settings
from lemur.download.failures import shown
from lemur.download.retry import patiently
from lemur.download.transfer import Pin, Remote

INDEXES = ("pypi", "npm", "debian", "debian-src")


def locate(source: dict, pin: Pin, session: requests.Session, label: str) -> Remote:
    """The address of ``source`` = {index, package, version, file}; the index's digest must agree.

    Raises ``UserError`` for an unknown index kind, package or file and for a digest that the
    index states otherwise than the pin.
    """
    kind = source.get("index")
    if kind == "npm":
        return npm.locate(source, session, label)
    if kind in ("debian", "debian-src"):
        return debian.locate(source, pin, session, label)
    if kind != "pypi":
        raise UserError(
            f"{label}: from.index is {kind!r}: allowed are {', '.join(INDEXES)}"
            f"{nearest(str(kind), INDEXES)}"
        )
    return _of_pypi(source, pin, session, label)


def _of_pypi(source: dict, pin: Pin, session: requests.Session, label: str) -> Remote:
    address = pip_settings.index_url(PYPI_SIMPLE_ENDPOINT)
    if urlsplit(address).scheme not in ("http", "https"):
        raise UserError(
            f"{label}: pip's index-url {shown(address)} is no http(s) address: set PIP_INDEX_URL"
        )
    package, wanted = source["package"], source["file"]
    client = PyPISimple(endpoint=address, session=session)
    try:
        page = patiently(lambda: client.get_project_page(package), label, address)
    except NoSuchProjectError:
        raise UserError(f"{label}: the package index has no package {package!r}") from None
    except (UnsupportedContentTypeError, UnsupportedRepoVersionError) as error:
        raise UserError(
            f"{label}: {shown(address)} does not answer as a package index ({type(error).__name__})"
        ) from None
    for found in page.packages:
        if found.filename == wanted:
            listed = found.digests.get("sha256")
            if listed and pin.sha256 and listed != pin.sha256:
                raise UserError(
                    f"{label}: the index lists sha256 {listed} for {wanted} where {pin.sha256} "
                    "is pinned: refused"
                )
            return Remote(found.url, label)
    version = source.get("version")
    names = [found.filename for found in page.packages if found.version == version]
    raise UserError(f"{label}: {package} {version} has no file {wanted!r}{nearest(wanted, names)}")
