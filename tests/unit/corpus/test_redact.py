"""What is personal or secret goes, what only looks like it stays, and nothing else changes."""

import random
import string

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from lemur.corpus.redact import PLACEHOLDERS, redacted, spans

# Drawn here, so that no scanner of this repository finds a key in it.
_DRAW = random.Random(7)


def drawn(length, letters=string.ascii_letters + string.digits):
    return "".join(_DRAW.choices(letters, k=length))


BODY = "\n".join(drawn(64, string.ascii_letters + string.digits + "+/") for _ in range(12))
BEGIN, END = "-----BEGIN RSA PRIVATE KEY-----", "-----END RSA PRIVATE KEY-----"
JWT = f"eyJ{drawn(30)}.eyJ{drawn(60)}.{drawn(43)}"
REPLACED = [
    ("mail ann.lee+x@firm.co.uk now", "mail <EMAIL> now"),
    ("<bob@mail.firm.com>", "<<EMAIL>>"),
    ("a@b.org,c_d@e.net", "<EMAIL>,<EMAIL>"),
    ("host = '93.184.216.34'", "host = '<IP_ADDRESS>'"),
    ("http://93.184.216.34:80/x", "http://<IP_ADDRESS>:80/x"),
    ("from 93.184.216.34/24 up", "from <IP_ADDRESS>/24 up"),
    ("at 2a00:1450:4001:81b::200e.", "at 2a00:1450:4001:81b::200e."),  # a dot may go on a name
    ("at 2a00:1450:4001:81b::200e, or", "at <IP_ADDRESS>, or"),
    ("[2a00:1450:4001:81b:0:0:0:200e]", "[<IP_ADDRESS>]"),
    (f"x\n{BEGIN}\n{BODY}\n{END}\ny", "x\n<KEY>\ny"),
    (f"x\n{BEGIN}\n{BODY}\n\n# no end", "x\n<KEY># no end"),
    (f'k = "{BEGIN}\\n" + "{drawn(64)}" + "{END}"', 'k = "<KEY>"'),
    (f"id AKIA{drawn(16, string.ascii_uppercase + string.digits)} x", "id <KEY> x"),
    (f"ghp_{drawn(36)}", "<KEY>"),
    (f"github_pat_{drawn(82)}", "<KEY>"),
    (f"glpat-{drawn(20)};", "<KEY>;"),
    (f"xoxb-{drawn(11, '12345678')}-{drawn(24)}", "<KEY>"),
    (f"AIza{drawn(35)}", "<KEY>"),
    (f"sk_live_{drawn(24)}", "<KEY>"),
    (f"npm_{drawn(36)}", "<KEY>"),
    (f"pypi-AgEI{drawn(150)}", "<KEY>"),
    (f" sk-proj-{drawn(60)}", " <KEY>"),
    (f"Bearer {JWT}", "Bearer <KEY>"),
    (f'API_KEY = "{drawn(32)}"', 'API_KEY = "<KEY>"'),
    (f"'client_secret': '{drawn(40)}',", "'client_secret': '<KEY>',"),
    (f"token: str = '{drawn(32)}'", "token: str = '<KEY>'"),
    ("postgres://ann:Zx8kPq2w@db.firm.com/x", "postgres://ann:<PASSWORD>@db.firm.com/x"),
]
KEPT = [
    "ann@example.com bob@mail.example.org cat@host.invalid dan@x.test eve@localhost",
    "someone@something.example, root@db.internal, me@printer.local",
    "git@github.com:owner/name.git and ssh@host.firm.com",
    "@decorator.name\ndef f(): pass",
    "y = a@b.mean(axis=0) + x @ w.T + m@n.at[0]",
    "aes256-gcm@openssh.com",
    "npm install react@17.0.2 left-pad@1.3.0 icon@2x.png main@v1.py",
    "version 1.2.3.4, 12.4.1.2, v93.184.216.34 and foo==93.184.216.34",
    "pkg-93.184.216.34.tar.gz Chrome/93.184.216.34 x.93.184.216.34",
    "1.3.6.1.4.1.311 and 2.5.29.15 and 93.184.216.340 and 93.184.216.034 and 300.1.2.3",
    "127.0.0.1 0.0.0.0 10.1.2.3 192.168.10.200 172.16.99.1 169.254.169.254 255.255.255.0",
    "192.0.2.55 198.51.100.77 203.0.113.200 239.255.255.250",
    "::1 fe80::1 2001:db8::1 fd00::8 std::vector a::b x[2000::5] 2024:10:11 20:30:40",
    'digest = "' + "0123456789abcdef" * 4 + '"',
    'password = "correct horse battery staple"\nsecret = "your_api_key_goes_here_please"',
    "api_key = os.environ['SERVICE_API_KEY_PRODUCTION_V2']",
    f"raise ValueError('not a {BEGIN} file')",
    "http://user:password@host.com https://${user}:${pass}@host.com http://u:Zx8kPq2w@x.example",
    "AKIAIOSFODNN7EXAMPLE sk-learn-contrib-something-long-and-with-many-dashes-in-it-1",
    "test_ghp_something_that_is_long_enough_to_be_a_name_of_a_function_really",
]


@pytest.mark.parametrize(("text", "expected"), REPLACED, ids=range(len(REPLACED)))
def test_replaced(text, expected):
    assert redacted(text)[0] == expected


@pytest.mark.parametrize("text", KEPT, ids=range(len(KEPT)))
def test_kept(text):
    assert [(text[a:b], kind) for a, b, kind in spans(text)] == []


def test_counts_and_choice():
    text = "ann@firm.com, bob@firm.com at 93.184.216.34"
    assert redacted(text)[1] == {"email": 2, "ip_address": 1}
    assert redacted(text, ["ip_address"]) == (
        "ann@firm.com, bob@firm.com at <IP_ADDRESS>",
        {"ip_address": 1},
    )
    assert redacted(text, []) == (text, {})


PIECES = st.lists(
    st.sampled_from([text for text, _ in REPLACED] + KEPT)
    | st.text(st.sampled_from("@.:/-_=\"' a1fA2\n"), max_size=40),
    max_size=8,
)


@settings(max_examples=300, deadline=None)
@given(PIECES)
def test_twice_is_once_and_the_rest_stays(pieces):
    text = "\n".join(pieces)
    once, counts = redacted(text)
    assert sum(counts.values()) == len(spans(text))
    rest, at = [], 0
    for start, end, kind in spans(text):
        assert at <= start < end and kind in PLACEHOLDERS
        rest.append(text[at:start])
        at = end
    place = 0
    for piece in [*rest, text[at:]]:
        place = once.index(piece, place) + len(piece)
    assert redacted(once)[0] == once


@settings(max_examples=200, deadline=None)
@given(st.tuples(*[st.integers(0, 31)] * 4), st.sampled_from(["", "v", "==", "release "]))
def test_versions_stay(numbers, before):
    text = before + ".".join(map(str, numbers))
    assert redacted(text)[0] == text


@settings(max_examples=200, deadline=None)
@given(
    st.from_regex(r"\A[a-z][a-z0-9_.+-]{0,12}[a-z0-9]\Z"),
    st.from_regex(r"\A[a-z0-9]{1,10}(\.[a-z0-9]{1,10})?\Z"),
    st.sampled_from(["com", "org", "de", "io", "co.jp"]),
    st.sampled_from(["<>", "()", '""', "  ", "\n\n", ",,"]),
)
def test_every_plain_address_goes(local, domain, top, around):
    if local in ("git", "hg", "svn", "ssh") or domain.split(".")[-1] in (
        "example",
        "invalid",
        "test",
    ):
        return
    text = f"to{around[0]}{local}@{domain}.{top}{around[1]}x"
    assert redacted(text)[0] == f"to{around[0]}<EMAIL>{around[1]}x"


def test_long_lines_take_no_long_time():
    """No expression may take quadratic time: 2 MB of what each begins with, in seconds."""
    for piece in (
        "@",
        "a@",
        "1.",
        ".1",
        "2001:",
        "://a:",
        "_",
        "-",
        '"',
        "-----BEGIN PRIVATE KEY-----",
        "eyJ",
    ):
        redacted(piece * (2_000_000 // len(piece)))
