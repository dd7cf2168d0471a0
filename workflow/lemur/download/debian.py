"""Debian's archive: a binary package, or the upstream archive of a source package, from the pool.

Debian keeps in the pool only what a suite still names, so a pinned file may be gone after an update.
``LEMUR_DEBIAN_MIRROR`` names further archives, tried first: addresses separated by blanks, in which
``{snapshot}`` stands for the time in ``from.snapshot``, as in an archive of Debian's snapshots.
"""

import os
import shutil
import subprocess
from urllib.parse import quote, urlsplit

import requests
from packageurl.contrib import purl2url

from lemur.core.errors import UserError
from lemur.download.failures import shown
from lemur.download.retry import patiently
from lemur.download.transfer import Pin, Remote

VARIABLE = "LEMUR_DEBIAN_MIRROR"


def default_archives() -> list[str]:
    """The public archive, as the package-URL library knows it, and the security updates beside it."""
    url = str(purl2url.get_download_url("pkg:deb/debian/any@1-1?arch=all"))
    archive = url.split("/pool/")[0]
    return [archive, f"{archive}-security"]


def _of_apt() -> list[str]:
    """Debian's archives among apt's sources; none where apt is not there or is another system's."""
    if not shutil.which("apt-get"):
        return []
    asked = ["apt-get", "indextargets", "--format", "$(ORIGIN) $(REPO_URI)"]
    try:
        done = subprocess.run(asked, capture_output=True, text=True, timeout=60, check=True)
    except (OSError, subprocess.SubprocessError):
        return []
    rows = [line.split(" ", 1) for line in done.stdout.splitlines()]
    found = [row[1] for row in rows if len(row) == 2 and row[0] == "Debian"]
    return [uri for uri in dict.fromkeys(found) if urlsplit(uri).scheme in ("http", "https")]


def archives(snapshot: str | None) -> list[str]:
    """Addresses of archives in the order in which they are asked, without ``/`` at their ends."""
    named = []
    for address in os.environ.get(VARIABLE, "").split():
        if "{snapshot}" in address and not snapshot:
            continue
        named.append(address.replace("{snapshot}", snapshot or ""))
        if urlsplit(address).scheme not in ("http", "https"):
            raise UserError(f"{VARIABLE}: {shown(address)} is no http(s) address")
    found = [*named, *_of_apt(), *default_archives()]
    return list(dict.fromkeys(address.rstrip("/") for address in found))


def pool_paths(source: dict) -> list[str]:
    """Where a pool holds ``source["file"]``: as a release, or as a security update of one."""
    name = source.get("source") or source["package"]
    prefix = name[:4] if name.startswith("lib") else name[:1]
    inside = f"{source.get('component', 'main')}/{prefix}/{name}/{source['file']}"
    return [f"pool/{inside}", f"pool/updates/{inside}"]


def locate(source: dict, pin: Pin, session: requests.Session, label: str) -> Remote:
    """The address of ``source`` = {index: debian or debian-src, package, version, file, ...}.

    A file of another size than the pin's is passed over. ``UserError`` when no archive has it.
    """
    asked = archives(source.get("snapshot"))
    for address in asked:
        for path in pool_paths(source):
            url = f"{address}/{quote(path)}"

            def ask(url: str = url) -> requests.Response:
                answer = session.head(url, allow_redirects=True)
                if answer.status_code not in (403, 404, 410):
                    answer.raise_for_status()
                return answer

            answer = patiently(ask, label, address)
            length = answer.headers.get("Content-Length", "")
            right = pin.size is None or not length.isdigit() or int(length) == pin.size
            if answer.status_code == 200 and right:
                return Remote(url, label)
    when = source.get("snapshot", "its time")
    raise UserError(
        f"{label}: none of {len(asked)} archives has {source['file']}: Debian has moved on. Set "
        f"{VARIABLE} to an archive of snapshots at {when} (docs/how-to/filter.md says how)"
    )
