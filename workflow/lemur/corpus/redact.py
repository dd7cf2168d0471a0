"""Secrets and personal data in a text, replaced by placeholders that say what stood there.

Found: e-mail addresses, IPv4 and IPv6 addresses that are routed on the internet, private keys,
tokens of known shape, quoted random strings assigned to a name like ``api_key``, and passwords in
URLs. Placeholders are StarCoder's (Li et al. 2023, section 4.4). Left alone: addresses that RFC
2606, 5737 and 3849 reserve for examples, private networks, service accounts (``git@``), and dotted
numbers that are versions. Not found, a stated limit: names of people, postal addresses, telephone
numbers, secrets without quotes and of no known shape.

Speed: every expression begins with one rare literal character, which the ``re`` module finds with
memchr, and looks back from there.
"""

import ipaddress
import math
import re
from collections import Counter
from collections.abc import Collection, Iterator

PLACEHOLDERS = {
    "email": "<EMAIL>",
    "ip_address": "<IP_ADDRESS>",
    "key": "<KEY>",
    "password": "<PASSWORD>",
}
Span = tuple[int, int, str]

_EMAIL = re.compile(
    r"@(?<=[A-Za-z0-9_+-]@)((?:[A-Za-z0-9][A-Za-z0-9-]{0,62}\.){1,8}[A-Za-z]{2,18})(?![\w(\[@=-])"
)
_LOCAL = re.compile(r"[A-Za-z0-9_+-](?:[A-Za-z0-9._%+-]{0,63})\Z")
# Countries have two letters; of the others those that people's addresses have.
_TOPS = """com org net edu gov mil int info biz name pro coop aero museum jobs mobi tel asia cat post
    dev app io xyz online site tech cloud email life space world blog wiki page live academy agency
    company consulting digital email engineering group network science software solutions studio
    systems technology today tools team works zone"""
_TOP = frozenset(_TOPS.split())
_UNROUTED = "example invalid test localhost local localdomain internal lan arpa"
_RESERVED = frozenset(_UNROUTED.split())
# Two letters that end file names at least as often as addresses.
_ENDINGS = "py rs sh md pl so cc js ts rb go hs ml mk"
_FILES = frozenset(_ENDINGS.split())
# OpenSSH names its algorithms like addresses.
_ALGORITHMS = (["openssh", "com"], ["libssh", "org"])
_SERVICES = frozenset(("git", "hg", "svn", "ssh", "git-codecommit"))
_URL_PASSWORD = re.compile(r"://[^\s/:@\"'<>]{0,64}:([^\s/:@\"'<>{}$*%\[\]()]{3,128})@([\w.-]+)")
_USERINFO = re.compile(r"://[^\s@/]{0,72}\Z")
_DUMMY = re.compile(
    r"(?i)^(?:(?:my|your|the)?[-_]?(?:pass\w*|pwd?|pw|secret|token|user\w*|test\w*|foo|bar|admin|root|"
    r"guest|x+|\.+|example\w*|changeme)\d{0,4})$"
)
_IPV4 = re.compile(r"\.(?<=[0-9]\.)[0-9]{1,3}\.[0-9]{1,3}\.[0-9]{1,3}(?![\w]|\.[0-9]|-[A-Za-z])")
_FIRST = re.compile(r"(?<![\w.+-])[0-9]{1,3}\Z")
_VERSION = re.compile(
    r"(?i)(?:(?:version|release|build|rev|ver|\bv)s?[\"']?[\s:=(,]*|[=<>~!^]=\s*|[<>~^]\s*|\w/|\w-|[@#])[\"'v]?\Z"
)
_IPV6 = re.compile(r":(?<=[23][0-9A-Fa-f]{3}:)(?:[0-9A-Fa-f]{0,4}:){1,6}[0-9A-Fa-f]{0,4}(?![\w:.])")
# Tokens of known shape, by the character after which (or from which) the drawn part begins.
_TOKENS = tuple(
    map(
        re.compile,
        (
            r"_(?=[A-Za-z0-9_]{20})(?:(?<=gh[pousr]_)|(?<=github_pat_)|(?<=npm_)|(?<=hf_)|"
            r"(?<=[rs]k_live_))[A-Za-z0-9_]{20,255}",
            r"-(?=[A-Za-z0-9_-]{16})(?:(?<=glpat-)|(?<=xox[abeprs]-)|(?<=pypi-)|(?<=[^A-Za-z0-9]sk-)"
            r"|(?<=\Ask-))[A-Za-z0-9_-]{16,255}",
            r"A(?:KIA|SIA)[0-9A-Z]{16}(?![0-9A-Za-z])",
            r"AIza[0-9A-Za-z_-]{35}",
            r"SG\.[\w-]{22}\.[\w-]{43}",
            r"eyJ[\w-]{10,250}\.eyJ[\w-]{10,4000}\.[\w-]{10,1000}",
            r"hooks\.slack\.com/services/T\w{6,}/B\w{6,}/\w{20,}",
        ),
    )
)
_PREFIX = re.compile(r"(?:github_pat|gh[pousr]|npm|hf|[rs]k_live|glpat|xox[abeprs]|pypi|sk)\Z")
# Shorter than these no service hands out; a package called sk-learn-something is no key.
_LEAST = {"sk": 40, "pypi": 50, "npm": 36, "hf": 34, "gh": 36}
_PRIVATE = re.compile(
    r"-----BEGIN ((?:[A-Z0-9]{1,12} ){0,3})PRIVATE KEY(?: BLOCK)?-----"
    r"(?:((?:(?!-----)[\s\S]){40,20000})-----END \1PRIVATE KEY(?: BLOCK)?-----|"
    r"([A-Za-z0-9+/=\s\\\"']{64,20000}))"
)
_BASE64 = re.compile(r"[A-Za-z0-9+/=]{32}")
_QUOTED = tuple(re.compile(rf"{quote}[A-Za-z0-9+/_.=-]{{20,200}}{quote}") for quote in ('"', "'"))
_ASSIGNED = re.compile(
    r"(?i)(?:secret|token|passw(?:or)?d|passphrase|api[-_ ]?key|access[-_ ]?key|private[-_ ]?key|"
    r"auth[-_ ]?key|credential)s?\w{0,12}[\"'\]]{0,2}\s{0,4}(?::\s?\w{1,12}\s{0,4})?(?:=>?|:=?)\s{0,4}[bru]?\Z"
)


def _emails(text: str) -> Iterator[Span]:
    for match in _EMAIL.finditer(text):
        labels = match[1].lower().split(".")
        top = labels[-1]
        if top not in _TOP and (len(top) != 2 or top in _FILES):
            continue
        if not _RESERVED.isdisjoint(labels[-2:]) or labels[-2:] in _ALGORITHMS:
            continue
        local = _LOCAL.search(text, max(0, match.start() - 64), match.start())
        if local is None or local[0].lower() in _SERVICES:
            continue
        if _USERINFO.search(text, max(0, local.start() - 80), local.start()):
            continue
        yield local.start(), match.end(), "email"


def _passwords(text: str) -> Iterator[Span]:
    for match in _URL_PASSWORD.finditer(text):
        host = set(match[2].lower().split(".")[-2:])
        if _RESERVED.isdisjoint(host) and not _DUMMY.match(match[1]):
            yield *match.span(1), "password"


def _addresses(text: str) -> Iterator[Span]:
    for match in _IPV4.finditer(text):
        first = _FIRST.search(text, max(0, match.start() - 5), match.start())
        if first is None:
            continue
        written = first[0] + match[0]
        # Four small numbers are a version or an object identifier far more often than an address.
        if all(len(part) < 3 and int(part) < 32 for part in written.split(".")):
            continue
        if not _routed(written) or written.endswith(".0.0"):
            continue
        before = text[max(0, first.start() - 24) : first.start()]
        if not _VERSION.search(before) or before.endswith("//"):
            yield first.start(), match.end(), "ip_address"
    for match in _IPV6.finditer(text):
        start = match.start() - 4
        written = text[start : match.end()]
        if start and (text[start - 1].isalnum() or text[start - 1] in "_:."):
            continue
        if len(written.replace(":", " ").split()) >= 3 and _routed(written):
            yield start, match.end(), "ip_address"


def _routed(written: str) -> bool:
    try:
        address = ipaddress.ip_address(written)
        return address.is_global and not address.is_multicast
    except ValueError:
        return False


def _random(value: str) -> bool:
    """Whether a string looks drawn and not written: letters, digits, over 3.5 bits a character."""
    if not any(c.isdigit() for c in value) or not any(c.isalpha() for c in value):
        return False
    counts = Counter(value).values()
    return -sum(n / len(value) * math.log2(n / len(value)) for n in counts) > 3.5


def _tokens(text: str) -> Iterator[Span]:
    for shape in _TOKENS:
        for match in shape.finditer(text):
            start, least = match.start(), 0
            if text[start] in "_-":
                prefix = _PREFIX.search(text, max(0, start - 12), start)
                if prefix is None:
                    continue
                start = prefix.start()
                least = _LEAST.get(prefix[0][:2] if prefix[0][:2] == "gh" else prefix[0], 16)
            drawn = text[match.start() + 1 : match.end()]
            alone = start == 0 or not (text[start - 1].isalnum() or text[start - 1] == "_")
            if match[0][0] == "-" and sum(map(str.isdigit, drawn)) < 3:
                continue  # words with dashes between
            if alone and len(drawn) >= least and "EXAMPLE" not in drawn and _random(drawn):
                yield start, match.end(), "key"


def _keys(text: str) -> Iterator[Span]:
    if "PRIVATE KEY" in text:
        for match in _PRIVATE.finditer(text):
            if _BASE64.search(match[2] or match[3]):
                yield *match.span(), "key"
    yield from _tokens(text)
    for quoted in _QUOTED:
        for match in quoted.finditer(text):
            start = match.start()
            if _ASSIGNED.search(text[max(0, start - 60) : start]) and _random(match[0][1:-1]):
                yield start + 1, match.end() - 1, "key"


def spans(text: str) -> list[Span]:
    """(start, end, kind) of everything to replace, ascending, none overlapping another."""
    found = [*_keys(text), *_addresses(text)]
    if "@" in text:
        found += [*_emails(text), *_passwords(text)]
    if len(found) < 2:
        return found
    # Of two that overlap the password of a URL wins, then the one that begins first.
    found.sort(key=lambda span: (span[2] != "password", span[0], -span[1]))
    chosen: list[Span] = []
    for span in found:
        if all(span[1] <= other[0] or other[1] <= span[0] for other in chosen):
            chosen.append(span)
    return sorted(chosen)


def redacted(text: str, kinds: Collection[str] = PLACEHOLDERS) -> tuple[str, Counter[str]]:
    """The text with placeholders of the wanted kinds, and how many of each were put in."""
    found = [span for span in spans(text) if span[2] in kinds] if kinds else []
    if not found:
        return text, Counter()
    pieces, at = [], 0
    for start, end, kind in found:
        pieces += (text[at:start], PLACEHOLDERS[kind])
        at = end
    pieces.append(text[at:])
    return "".join(pieces), Counter(kind for _, _, kind in found)
