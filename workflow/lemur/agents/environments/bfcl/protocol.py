"""BFCL's prompt for models that are asked by text, and how their calls are read.

An answer is a list of calls with named arguments. Only literals are read from it and nothing of it is
evaluated; as in the original, arguments without a name are passed over, and a bare name is a text.
"""

import ast
import json
from collections.abc import Sequence

from lemur.agents.environment import Message, Sampling, Task
from lemur.agents.episode import Turn
from lemur.data.row import Row

SAMPLING = Sampling(1024, temperature=0.001)
STEPS = 20  # answers with calls that a turn may have; one more ends the episode
UNKNOWN = "undefined_function()"  # in place of a call that the task does not offer
SHOWN = 20_000  # characters of what a model is told
LONGEST = 20_000  # characters of an answer that are read
MORE = "{}\nI have updated some more functions you can choose from. What about now?"
SYSTEM = """You are an expert in composing functions.You are given a question and a set of possible functions. Based on the question, you will need to make one or more function/tool calls to achieve the purpose. If none of the functions can be used, point it out. If the given question lacks the parameters required by the function, also point it out.

You should only return the function calls in your response.

If you decide to invoke any of the function(s), you MUST put it in the format of [func_name1(params_name1=params_value1, params_name2=params_value2...), func_name2(params)].  You SHOULD NOT include any other text in the response.

At each turn, you should try your best to complete the tasks requested by the user within the current turn. Continue to output functions to call until you have fulfilled the user's request to the best of your ability. Once you have no more functions to call, the system will consider the current turn complete and proceed to the next turn or task.

Here is a list of functions in json format that you can invoke.
{}
"""


def parse(answer: str, names: frozenset[str]) -> list[str]:
    """The calls of an answer, each written anew; empty where it holds none that can be read."""
    text = answer[:LONGEST].strip("`\n ")
    text = text if text.startswith("[") else "[" + text
    text = text if text.endswith("]") else text + "]"
    try:
        tree = ast.parse(text.strip().strip("'"), mode="eval").body
        items = tree.elts if isinstance(tree, ast.List | ast.Tuple) else [tree]
        return [_call(item, names) for item in items]
    except (SyntaxError, ValueError, RecursionError, MemoryError):
        return []


def _call(node: ast.AST, names: frozenset[str]) -> str:
    if not isinstance(node, ast.Call):
        raise ValueError("not a call")
    if not isinstance(node.func, ast.Name) or node.func.id not in names:
        return UNKNOWN
    given = []
    for keyword in node.keywords:
        if keyword.arg is None:
            raise ValueError("arguments without names")
        given.append(f"{keyword.arg}={_value(keyword.value, names)}")
    return f"{node.func.id}({','.join(given)})"


def _value(node: ast.expr, names: frozenset[str]) -> str:
    if isinstance(node, ast.Name):
        return repr(node.id)
    if isinstance(node, ast.Call) and node.keywords:
        return _call(node, names)
    if isinstance(node, ast.Call | ast.Subscript):
        return repr(ast.unparse(node))
    return repr(ast.literal_eval(node))


def said(calls: Sequence[str], results: Sequence[str]) -> str:
    """What a model is told that its calls gave."""
    pairs = zip(calls, results, strict=False)
    shown = [{"role": "tool", "name": call, "content": result} for call, result in pairs]
    return repr(shown)[:SHOWN]


def question(task: Task, number: int) -> str:
    """What the user says in a turn; where functions are added, their documents."""
    if str(number) in task.data["later"]:
        return MORE.format(task.data["later"][str(number)])
    return "\n".join(message["content"] for message in task.data["question"][number])


def messages(task: Task, turns: Sequence[Turn]) -> list[Message]:
    """The functions, the first question, then answers and what was said of them."""
    functions: list[Row] = task.data["functions"]
    made: list[Message] = [
        {"role": "system", "content": SYSTEM.format(json.dumps(functions, indent=4))},
        {"role": "user", "content": question(task, 0)},
    ]
    for turn in turns:
        made.append({"role": "assistant", "content": turn.answer})
        made.append({"role": "user", "content": turn.observation})
    return made
