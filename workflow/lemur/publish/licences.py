"""What licences say of handing something on.

A short list of licences that are known to allow it, changed or not: what is not on it is refused, since
a licence that nobody here has read may forbid it. Conditions (a notice, the same licence, no trade)
are the sender's to meet, so that the offer names each licence.
"""

from collections.abc import Iterable

from lemur.corpus.licences import OWN_REFERENCE, PERMISSIVE, allowed

_COPYLEFT = """AGPL-3.0-only AGPL-3.0-or-later Artistic-2.0 CC-BY-3.0 CC-BY-NC-4.0 CC-BY-NC-SA-4.0 CC-BY-SA-3.0
CC-BY-SA-4.0 EPL-2.0 EUPL-1.2 GFDL-1.3-or-later GPL-2.0-only GPL-2.0-or-later GPL-3.0-only GPL-3.0-or-later
LGPL-2.1-only LGPL-2.1-or-later LGPL-3.0-only LGPL-3.0-or-later MPL-2.0 ODC-By-1.0 ODbL-1.0 OFL-1.1"""
SHARED = PERMISSIVE | frozenset(_COPYLEFT.split())
# Licences of models that have no SPDX name: derived weights may be handed on under the same terms.
MODELS = frozenset({"Llama-2 Community License", "BigCode OpenRAIL-M v1"})


def refusals(licences: Iterable[str], own: str | None = None) -> list[str]:
    """Why documents of ``licences`` may not be handed on; nothing where they may.

    ``own``: the licence under which somebody gives text of their own away.
    """
    found = []
    for licence in sorted(set(licences)):
        if licence == OWN_REFERENCE:
            if own is None:
                found.append("it holds text of your own: say under which licence you give it away, licence=CC-BY-4.0")  # fmt: skip
        elif not allowed(licence, SHARED):
            found.append(f"'{licence}' is not known to allow handing it on")
    if own is not None and not allowed(own, SHARED):
        found.append(f"licence={own}: not known to allow handing it on")
    return found


def model_refusals(licence: str) -> list[str]:
    """The same of a model trained from a base of ``licence``."""
    return [] if licence in MODELS else refusals([licence])
