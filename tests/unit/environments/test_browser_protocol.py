"""What an agent in a browser may say, what it is shown, and when its episode ends. No browser."""

import json
import socket
import urllib.request

import pytest
from lemur.agents.browser import actions, calls, protocol, tree
from lemur.agents.browser.actions import Action
from lemur.agents.browser.proxy import Proxy, place
from lemur.agents.episode import Turn
from lemur.core.errors import UserError
from unit.environments.local_sites import LocalSite

BRACKETS, CALLS = protocol.Form(), protocol.Form(codegen=True)


@pytest.mark.parametrize(
    ("text", "action"),
    [
        ("click [12]", Action("click", 12)),
        ("click[12]", Action("click", 12)),
        ("hover [3]", Action("hover", 3)),
        ("type [3] [a [b] c] [0]", Action("type", 3, "a [b] c", False)),
        ("type [3] [kettle]", Action("type", 3, "kettle", True)),
        ("type [3] [two\nlines] [1]", Action("type", 3, "two\nlines", True)),
        ("press [Ctrl+v]", Action("press", text="Ctrl+v")),
        ("scroll [down]", Action("scroll", text="down")),
        ("scroll up", Action("scroll", text="up")),
        ("new_tab", Action("new_tab")),
        ("tab_focus [1]", Action("tab_focus", 1)),
        ("close_tab", Action("close_tab")),
        ("goto [http://shop.example/a]", Action("goto", text="http://shop.example/a")),
        ("go_back", Action("go_back")),
        ("go_forward", Action("go_forward")),
        ("stop [N/A]", Action("stop", text="N/A")),
        ("stop", Action("stop")),
        ("stop []", Action("stop")),
    ],
)
def test_actions_are_read(text, action):
    assert actions.parse_action(text) == action
    assert actions.parse_action(actions.write_action(action)) == action
    assert BRACKETS.parse(f"I think.\n```{text}```\nor ```go_back```") == action


@pytest.mark.parametrize(
    "answer",
    ["", "click [1]", "``````", "```click [x]```", "```click 1```", "```type [1]```", "```fly [1]```",
     "```scroll [left]```", "```__import__('os')```", "```" + "[" * 9000 + "```",
     f"```type [1] [{'a' * 3000}] [1]```", "```click [99999999999]```", "```\udcff```"],
)  # fmt: skip
def test_what_is_no_action_is_none(answer):
    assert BRACKETS.parse(answer) is None and CALLS.parse(answer) is None


@pytest.mark.parametrize(
    ("text", "action"),
    [
        ("click(12)", Action("click", 12)),
        ("hover(id=3)", Action("hover", 3)),
        ("type(3, 'a \\'b\\'', False)", Action("type", 3, "a 'b'", False)),
        ("type(3, content='kettle')", Action("type", 3, "kettle", True)),
        ("type(3, 'kettle', 1)", Action("type", 3, "kettle", True)),
        ("press('Ctrl+v')", Action("press", text="Ctrl+v")),
        ("scroll(direction='down')", Action("scroll", text="down")),
        ("tab_focus(0)", Action("tab_focus", 0)),
        ("goto('http://shop.example/a')", Action("goto", text="http://shop.example/a")),
        ("new_tab()", Action("new_tab")),
        ("stop('N/A')", Action("stop", text="N/A")),
        ("stop(42)", Action("stop", text="42")),
        ("stop()", Action("stop")),
    ],
)
def test_calls_are_read(text, action):
    assert CALLS.parse(f"I think.\n```{text}```\nor ```go_back()```") == action
    assert calls.parse_call(calls.write_call(action)) == action


@pytest.mark.parametrize(
    "text",
    ["click()", "click('1')", "click(True)", "click(-1)", "click(1, 2)", "click(x)", "click(id=1, id=2)",
     "type(1)", "type(1, open('x').read())", "stop(__import__('os').system('touch /tmp/x'))", "scroll('left')",
     "os.system('x')", "(lambda: 1)()", "click(*[1])", "click(**{'id': 1})", "exit()", "1 if 1 else 2",
     "press('')", "click(1); click(2)", "click(1)\nclick(2)", "(" * 3000, "click(10**9)", "stop('" + "a" * 3000 + "')"],
)  # fmt: skip
def test_what_is_no_call_of_literals_is_none(text):
    assert calls.parse_call(text) is None


def test_a_previous_action_is_told_with_its_element():
    lines = {3: "button 'Go'"}
    assert CALLS.describe(Action("click", 3), lines) == "click(3) where [3] is button 'Go'"
    assert BRACKETS.describe(Action("click", 3), lines) == "click [3] where [3] is button 'Go'"
    assert "no element [4]" in BRACKETS.describe(Action("hover", 4), lines)
    assert BRACKETS.describe(Action("type", 3, "x"), lines).startswith("type [3] [x] [0] where")
    assert BRACKETS.describe(Action("go_back"), lines) == "go_back"
    assert "cannot" not in BRACKETS.describe(Action("stop", text="4"), lines)
    assert "three backticks" in BRACKETS.describe(None, lines)


def node(number, role, name="", children=(), box=None, **properties):
    made = {"nodeId": str(number), "backendDOMNodeId": number, "ignored": False,
            "role": {"value": role}, "name": {"value": name}, "childIds": [str(c) for c in children],
            "properties": [{"name": k, "value": {"value": v}} for k, v in properties.items()]}  # fmt: skip
    return made, (number, box or (0, 10, 100, 20))


def rendered(*nodes, **options):
    boxes = {number: box for _, (number, box) in nodes if box[2]}
    return tree.render([made for made, _ in nodes], boxes, 1280, 720, **options)


def test_a_tree_has_what_is_seen_and_says_something():
    text, elements = rendered(
        node(1, "RootWebArea", "Shop", [2, 5, 7, 8, 10], focused=True),
        node(2, "generic", "", [3, 4]),
        node(3, "link", "Kettle", [9], focusable=True),
        node(4, "button", "Far below", box=(0, 2000, 50, 20)),
        node(5, "generic", "", [6], box=(0, 0, 1280, 9000)),
        node(6, "StaticText", "$31.50"),
        node(7, "textbox", "", box=(0, 700, 100, 100)),
        node(8, "combobox", "Colour", [11], expanded=False),
        node(9, "StaticText", "Kettle"),
        node(10, "button", "Hidden", box=(0, 0, 0, 0)),
        node(11, "option", "red", box=(0, 0, 0, 0), selected=True),
    )
    assert text.splitlines() == [
        "[1] RootWebArea 'Shop' focused: True", "\t[2] link 'Kettle'", "\t[4] StaticText '$31.50'",
        "\t[5] combobox 'Colour' expanded: False", "\t\t[6] option 'red' selected: True",
    ]  # fmt: skip
    assert elements[2].node == 3 and elements[6].box == (0, 10, 100, 20)


def test_repeated_texts_are_left_out_as_in_webarena_or_kept():
    nodes = [node(1, "RootWebArea", "t", [2, 3, 4]), node(2, "StaticText", "Click on In"),
             node(3, "StaticText", "In"), node(4, "button", "Go", [5]), node(5, "StaticText", "Go")]  # fmt: skip
    assert "StaticText 'In'" not in rendered(*nodes)[0]
    kept = rendered(*nodes, repeats=True)[0]
    assert "StaticText 'In'" in kept and "StaticText 'Go'" not in kept


def test_a_tree_that_refers_to_itself_or_to_nothing_ends():
    text, _ = rendered(node(1, "RootWebArea", "t", [1, 2, 99]), node(2, "button", "a", [1]))
    assert text == "[1] RootWebArea 't'\n\t[2] button 'a'"
    assert tree.render([], {}, 10, 10) == ("", {})


def test_a_page_is_cut_at_tokens():
    assert protocol.cut("kettle kettle", 2, None) == "kettle"
    assert protocol.cut("a " * 3000, 1920, None) == ("a " * 1920).rstrip()
    assert protocol.cut("short", 1920, None) == "short"
    counts = protocol.read_tokenizer("config/tokenizers/smoke-4k/tokenizer.json")
    text = "The kettle costs thirty dollars. " * 50
    cut = protocol.cut(text, 20, counts)
    assert text.startswith(cut) and len(counts.encode(cut, add_special_tokens=False).ids) == 20
    with pytest.raises(UserError, match=r"tokenizer none\.json"):
        protocol.read_tokenizer("none.json")


def test_a_model_reads_the_page_and_its_previous_action_alone():
    turn = Turn("", "said", 1, "stop", "page two\nURL: u\nOBJECTIVE: o", info={"said": "click [1]"})
    prompt = protocol.write_prompt(BRACKETS)
    first = protocol.messages(prompt, "page one", ())
    second = protocol.messages(prompt, "page one", [turn])
    assert [one["role"] for one in first] == ["system", *["user", "assistant"] * 2, "user"]
    assert first[-1]["content"] == "OBSERVATION:\npage one\nPREVIOUS ACTION: None"
    assert "page one" not in str(second) and "said" not in second[-1]["content"]
    assert second[-1]["content"].endswith("OBJECTIVE: o\nPREVIOUS ACTION: click [1]")
    for form in (BRACKETS, CALLS):
        examples = protocol.write_prompt(form).examples
        assert [form.parse(said).kind for _, said in examples] == ["stop", "type"]
    assert protocol.Sampling(384, 1.0, 0.9) == protocol.SAMPLING


def test_the_originals_prompt_is_read_as_a_literal(tmp_path):
    path = tmp_path / protocol.ORIGINAL
    assert protocol.read_original(tmp_path, BRACKETS) is None
    path.parent.mkdir(parents=True)
    path.write_text('prompt = {"intro": """Go.""", "examples": [("seen", "said")], "x": {}}\n')
    assert protocol.read_original(tmp_path, CALLS) is None
    assert protocol.read_original(tmp_path, BRACKETS) == protocol.Prompt("Go.", (("seen", "said"),))
    for text in ("prompt = open('x')", "1", "prompt = {}", "prompt = ("):
        path.write_text(text)
        with pytest.raises(UserError, match="not WebArena's prompt"):
            protocol.read_original(tmp_path, BRACKETS)


def stops(texts, **limits):
    counted = protocol.Stops(**{"steps": 30, **limits})
    return [counted.add(actions.parse_action(text) if text else None) for text in texts]


def test_an_episode_ends_by_itself():
    assert stops(["click [1]", "", "", ""])[-1] == "Failed to parse actions for 3 times"
    assert stops(["", "", "click [1]", ""]) == [None] * 4
    assert stops(["click [1]", "click [1]", "go_back", "click [1]"]) == [None] * 4
    assert stops(["click [1]"] * 3)[-1] == "Same action for 3 times"
    typed = ["type [1] [a]", "click [2]", "type [1] [a]", "go_back", "type [1] [a] [1]"]
    assert stops(typed)[-1] == "Same typing action for 3 times"
    assert stops(["click [1]", "click [2]", "click [3]"], steps=3)[-1] == "Reach max steps 3"


def test_the_proxy_reaches_what_is_listed_and_nothing_else():
    with LocalSite() as allowed, LocalSite() as other:
        proxy = Proxy([allowed.url])
        handler = urllib.request.ProxyHandler({"http": f"http://127.0.0.1:{proxy.port}"})
        opener = urllib.request.build_opener(handler)
        assert b"Results for tea" in opener.open(f"{allowed.url}/search?q=tea").read()
        data = json.dumps({"username": "admin", "password": "secret"}).encode()
        assert opener.open(f"{allowed.url}/x/admin/token", data).read() == b'"token"'
        with pytest.raises(urllib.error.HTTPError, match="403"):
            opener.open(f"{other.url}/secret")
        for text in (
            b"CONNECT 127.0.0.1:22 HTTP/1.1\r\n\r\n",
            b"GET file:///etc/passwd HTTP/1.1\r\n\r\n",
        ):
            with socket.create_connection(("127.0.0.1", proxy.port), 10) as asked:
                asked.sendall(text)
                assert asked.recv(100).startswith(b"HTTP/1.1 403")
        with socket.create_connection(("127.0.0.1", proxy.port), 10) as asked:
            asked.sendall(b"\xff\xff\r\n\r\n")
            assert asked.recv(100) == b""
        proxy.shutdown()
        proxy.server_close()
        assert other.asked == []


def test_places():
    assert place("https://shop.example/x") == ("shop.example", 443)
    others = (
        "file:///etc",
        "chrome://x",
        "http://",
        "http://a:b/",
        "x",
        "http://user@shop.example/",
    )
    assert [place(url) for url in others] == [None] * 6
