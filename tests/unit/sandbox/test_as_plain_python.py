"""Programs and tests that plain Python runs get the verdict here that they get there, every time."""

import pytest
from lemur.evaluation.benchmarks.mbpp.judge import used
from lemur.sandbox.judge import Job, judge
from lemur.sandbox.policy import Limits
from lemur.sandbox.steps import Steps

# name: (program, tests)
PASSING = {
    "a class that names itself": (
        "from dataclasses import dataclass\n@dataclass\nclass Node:\n    value: int\n"
        "    after: 'Node' = None\ndef f(a, b): return Node(a, Node(b)).after.value",
        ("assert f(1, 2) == 2",),
    ),
    "annotations as text": (
        "from __future__ import annotations\nfrom dataclasses import dataclass\n@dataclass\n"
        "class Pair:\n    a: int\n    b: Pair | None\nimport typing\n"
        "def f(a): return len(typing.get_type_hints(Pair)) + Pair(a, None).a",
        ("assert f(1) == 3",),
    ),
    "pickled": (
        "import pickle\nclass A:\n    def __init__(self, x): self.x = x\n"
        "def f(x): return pickle.loads(pickle.dumps(A(x))).x",
        ("assert f(2) == 2",),
    ),
    "a hundred threads at once": (
        "from concurrent.futures import ThreadPoolExecutor\nimport threading\ndef f(n):\n"
        "    met = threading.Barrier(n)\n    with ThreadPoolExecutor(n) as pool:\n"
        "        return sum(pool.map(lambda i: (met.wait(60), bytearray(9999), i)[2], range(n)))",
        ("assert f(20) == 190", "assert f(100) == 4950"),
    ),
    "keys and items": (
        "def keys(x): return dict.fromkeys(x).keys()\ndef items(x): return {x: 1}.items()",
        (
            "assert keys(['a', 'b', 'a']) == {'a', 'b'} and keys([]) == set()",
            "assert list(keys('ba')) == ['b', 'a'] and 'a' in keys('a') and items(3) == {(3, 1)}",
        ),
    ),
    "values of the standard library": (
        "from fractions import Fraction\nfrom decimal import Decimal\nimport datetime\n"
        "def f(): return Fraction(3, 2), Decimal('1.5'), datetime.date(2020, 1, 2)\n"
        "def more(x): return x + 1\ndef later(day): return day + datetime.timedelta(1)",
        (
            "from fractions import Fraction\nfrom decimal import Decimal\nimport datetime",
            "assert f() == (Fraction(3, 2), Decimal('1.5'), datetime.date(2020, 1, 2))",
            "assert f()[0] == 1.5 and more(Fraction(1, 2)) == 1.5 and more(Decimal('0.5')) == 1.5",
            "assert later(datetime.date(2020, 1, 31)) == datetime.date(2020, 2, 1)",
        ),
    ),
    "containers that compare in ways of their own": (
        "import array, collections, datetime\nfrom collections import OrderedDict, deque\n"
        "def row(n): return deque(range(n), 3)\ndef cells(t, x): return array.array(t, x)\n"
        "def ordered(*pairs): return OrderedDict(pairs)\ndef last(d, k): return d.move_to_end(k) or d\n"
        "def count(x): return collections.Counter(x)\ndef none(): return collections.Counter(a=0)\n"
        "def at(h, z): return datetime.time(12, tzinfo=datetime.timezone(datetime.timedelta(hours=z)))\n"
        "def push(q, a, c, d):\n    q.append(4); a.append(5); c['x'] += 2; d.move_to_end(1); d[3] = 4\n"
        "def named(p): p['new'].append(1)\n",
        (
            "from collections import Counter, OrderedDict, defaultdict, deque\n"
            "assert row(5) == deque([2, 3, 4]) and row(5) != [2, 3, 4] and row(5).maxlen == 3",
            "from array import array\nassert cells('d', [1, 2]) == array('d', [1, 2]) == array('i', [1, 2])\n"
            "assert cells('b', b'a').typecode == 'b' and cells('i', []) != []",
            "a, b = ordered((1, 2), (3, 4)), ordered((3, 4), (1, 2))\n"
            "assert a != b and a == {3: 4, 1: 2} and a == last(b, 3) and list(last(a, 1)) == [3, 1]",
            "assert count('aab') == Counter(a=2, b=1) == {'a': 2, 'b': 1} and count('a')['z'] == 0\n"
            "assert none() == Counter() and none() != {}",
            "from datetime import time, timedelta, timezone\n"
            "assert at(12, 2) == time(10, tzinfo=timezone.utc) and at(12, 0) != time(12)",
            "q, a, c, d = deque([1, 2], 2), array('i'), Counter(), OrderedDict([(1, 2), (2, 3)])\n"
            "push(q, a, c, d)\nassert q == deque([2, 4]) and a == array('i', [5]) and c == {'x': 2}\n"
            "assert list(d.items()) == [(2, 3), (1, 2), (3, 4)]",
            "p = defaultdict(list)\np['new']\nnamed(p)\nassert p == {'new': [1]} and p['other'] == []",
        ),
    ),
    "types": (
        "def f(x): return type(x)",
        ("assert f(1) is int and f('') == str and f([1]) is list and f(None) is type(None)",),
    ),
    "names that the test binds": (
        "def srt(l):\n    l.sort()\n    return l",
        (
            "x = [3, 1, 2]\nassert srt(x) == [1, 2, 3] and x == [1, 2, 3] and srt(x) is x",
            "for k in range(3):\n    assert srt([k]) == [k]",
            "import math as m\ndef g(y): return srt(y)\nassert g([m.pi, 1]) == [1, m.pi]",
            "assert [srt([j]) for j in range(2)] == [[0], [1]] and (z := srt([2])) and z == [2]",
        ),
    ),
    "what a program changes": (
        "def f(d):\n    d['a'].append(d)\n    d['s'].add(2)\n    d['b'] = bytearray(1)\n"
        "def g(a, b):\n    a.append(1)\n    return b\ndef h(b): b[0] = 7",
        (
            "d = {'a': [], 's': {1}}\na = d['a']\nf(d)\n"
            "assert a[0] is d and d['s'] == {1, 2} and d['b'] == b'\\0'",
            "x = []\nassert g(x, x) is x and g(x, x) == [1, 1]\nx.append(5)\ng(x, 0)\n"
            "assert x == [1, 1, 5, 1]",
            "b = bytearray(2)\nh(b)\nassert b == b'\\7\\0'",
        ),
    ),
    "functions of the test": (
        "def app(f, *x): return f(*x)\nclass Later:\n    def __init__(self, f): self.f = f\n"
        "    def run(self, x): return self.f(x)\ndef lazy(f, x): return map(f, x)\n"
        "def safe(f):\n    try: return f(0)\n    except ZeroDivisionError: return 7\n"
        "from concurrent.futures import ThreadPoolExecutor\ndef many(f):\n"
        "    with ThreadPoolExecutor(4) as pool: return list(pool.map(f, range(20)))",
        (
            "assert app(lambda v: v + 1, 1) == 2 and app(abs, -1) == 1 and app(len, 'ab') == 2",
            "import math\nassert app(math.sqrt, 9) == 3 and app(str.upper, 'a') == 'A'",
            "later = Later(lambda v: v + 1)\nassert later.run(3) == 4 and later.run(4) == 5",
            "assert list(lazy(lambda v: v * 2, [1, 2])) == [2, 4] and safe(lambda v: 1 / v) == 7",
            "g = lambda v: v\nassert app(lambda q: q, g) is g and app(app, lambda v: v, 3) == 3",
            "assert app(lambda h: [h(lambda v: i) for i in range(3)], safe) == [0, 1, 2]",
            "assert many(lambda v: v * v) == [v * v for v in range(20)]",
        ),
    ),
}


@pytest.mark.parametrize("name", PASSING)
def test_passes_as_in_plain_python(sandbox, name):
    program, tests = PASSING[name]
    job = Job(program, tests, tuple(used(tests, program)))
    found = judge(sandbox, job, Limits(cpu_seconds=20, wall_seconds=60))
    assert found.verdict == "passed", found


def test_time_zones_are_those_of_the_system(sandbox):
    from zoneinfo import ZoneInfo, ZoneInfoNotFoundError

    try:
        ZoneInfo("Europe/Paris")
    except ZoneInfoNotFoundError:
        pytest.skip("toolchain: this system has no time zones: apt-get install tzdata")
    program = (
        "from zoneinfo import ZoneInfo\nimport datetime\ndef f():\n"
        "    noon = datetime.datetime(2020, 7, 1, 12, tzinfo=ZoneInfo('Europe/Paris'))\n"
        "    return noon.utcoffset().total_seconds()\n"
        "def at(*day): return datetime.datetime(*day, tzinfo=ZoneInfo('Europe/Paris'))\n"
        "def of_day(): return datetime.time(1, 2, tzinfo=ZoneInfo('Europe/Paris'))"
    )
    test = (
        "from zoneinfo import ZoneInfo\nimport datetime\nparis = ZoneInfo('Europe/Paris')",
        "assert f() == 7200 and at(2020, 7, 1).tzinfo is paris",
        # Twice there is this hour: no such time equals one of another zone.
        "assert at(2020, 10, 25, 2, 30) == datetime.datetime(2020, 10, 25, 2, 30, tzinfo=paris)",
        "assert of_day() == datetime.time(1, 2, tzinfo=paris) and of_day() == datetime.time(1, 2)",
    )
    found = judge(sandbox, Job(program, test, ("f", "at", "of_day")))
    assert found.verdict == "passed", found


WORDS = "['ab', 'cd', 'ef', 'gh', 'ij', 'kl']"


def test_the_order_of_a_set_is_the_same_in_every_run(sandbox):
    """``-I`` passes over PYTHONHASHSEED; both sides of a judgement are looked at."""
    for test in (f"assert 0, f({WORDS})", f"f([])\nassert 0, list(set({WORDS}))"):
        job = Job("import random\ndef f(w): return list(set(w))", (test,), ("f",))
        assert len({judge(sandbox, job).detail for _ in range(5)}) == 1
    drawn = Job("import random\ndef f(): return random.random()", ("assert 0, f()",), ("f",))
    assert len({judge(sandbox, drawn).detail for _ in range(3)}) == 1


def test_the_order_of_a_hash_of_perl_is_the_same_in_every_run(sandbox):
    from lemur.evaluation.benchmarks.multipl_e import languages

    perl = languages._which("perl")
    if perl is None:
        pytest.skip("toolchain: no perl")
    code = "my %h = map { $_ => 1 } 'a'..'j'; print keys %h; exit 1"
    job = Steps((("a.pl", code),), ((perl, "a.pl"),), languages.root("pl"))
    found = {job.run(sandbox, Limits()).detail for _ in range(4)}
    assert len(found) == 1 and sorted(found.pop()) == list("abcdefghij")


def test_a_test_is_changed_only_where_plain_python_changes_it(sandbox):
    """A program that answers with changes of its own making reaches what it was given, no more."""
    program = """
import sys
send = sys.modules["wire"].send
def forge(to, message, *_):
    if isinstance(message, dict) and "value" in message and "f" in CALLED:
        message = {**message, "changed": CHANGED}
    return send(to, message)
sys.modules["wire"].send = forge
CALLED = []
def f(x):
    CALLED.append("f")
    return 1
"""
    test = ("wanted = [2]", "x = {1}", "assert f(x) == wanted[0], (wanted, x)")
    for changed in (
        "[[0, {'list': [1]}]]",  # another kind
        "[[7, {'list': [1]}]]",
        "[['x', {'list': [1]}]]",
        "[[0, {'set': [1], 'list': []}]]",
        "[[0, {'handle': 0}]]",
        "5",
        "[[0, {'set': [{'same': 9}]}]]",
    ):
        job = Job(program.replace("CHANGED", changed), test, ("f",))
        assert judge(sandbox, job).verdict == "failed", changed


@pytest.mark.parametrize(
    ("test", "names"),
    [
        ("x = [3]\nassert f(x) == [3]", ["f"]),
        ("assert f(lambda v: v + w) == 1", ["f", "w"]),
        ("assert [f(i) for i in range(3)] == list(map(g, 'a'))", ["f", "g"]),
        ("def h(a, *b):\n    c = a\n    return f(c, b, d)\nassert h(1)", ["f", "d"]),
        ("import math\nassert f(math.pi) == len('a')", ["f"]),
        ("assert sum(1) == 2", []),
    ],
)
def test_names_that_a_test_takes_from_the_program(test, names):
    assert sorted(used((test,), "def f(x): pass")) == sorted(names)
    assert used(("assert sum(1) == 2",), "def sum(x): pass") == ["sum"]
