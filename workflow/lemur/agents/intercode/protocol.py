"""How models and InterCode talk: prompts, the window of messages, and how answers are read.

The texts and the reading of answers follow ``experiments/utils`` and ``experiments/policies.py`` of
princeton-nlp/intercode (MIT), oddities included, since scores depend on them.
"""

import re
from collections.abc import Mapping, Sequence

from lemur.agents.environment import Message, Sampling
from lemur.agents.episode import Turn

STOPS = ("Observation:", "Task:", "Output:")
LETTERS, ROWS = 1000, 50  # of an observation
SQL_BEGINNINGS = ("SHOW", "SELECT", "DESCRIBE", "DESC")

V2 = """## TASK DESCRIPTION
You are a {language} code generator helping me answer a question using {language}.\x20
I will ask you a question, and your task is to interact with a {setting} system using {language} commands to come up with the answer.\x20

## RESPONSE FORMAT
Your response should be a {language} command. Format your {language} command as follows:
```{language}
Your {language} code here
```

DO NOT WRITE ANYTHING EXCEPT FOR CODE in your response.

Try ```sql
SHOW TABLES``` or ```sql
DESCRIBE <table_name> to learn more about the database```.



## OUTPUT DESCRIPTION
Given your {language} command input, the system will then give back output formatted as follows:

Output: <string>
Reward: [0, 1]

The output is the standard output from executing your {language} command.
The reward is a decimal value between 0 and 1, which tells you how close your {language} command is to the correct answer.\x20
The closer the reward is to 1, the closer your {language} command is to the correct answer.

You have to try to maximize the reward.
"""

GAME = """`{language}Env` is a multi-turn game that tests your ability to write
a {language} command that produces an output corresponding to a natural language query.

## GAME DESCRIPTION
At the start of this game, you are given a natural language query describing some
desired output (i.e. "Find the first name of a student who have both cat and dog pets").
Aside from the natural language query, you have no information about the tables you have access to.

The game will be played in a series of turns. Each turn, you can submit a {language} command.
You will then get a response detailing the output of your {language} query along with a reward
that tells you how close your {language} command is to the correct answer.

The goal of this game is to write a {language} command that gets a reward of 1. The game will automatically
terminate once you get a reward of 1.

## INPUT DESCRIPTION
Each turn, you can submit a {language} command. Your {language} command should be formatted as follows:

```{language}
Your {language} code here
```

Your {language} command can help you do one of two things:
1. Learn more about the tables you have access to
2. Execute {language} commands based on these tables to generate the correct output.

## OUTPUT DESCRIPTION
Given your {language} command input, `{language}Env` will then give back output formatted as follows:

Output: <string>
Reward: <decimal value between 0 and 1>

The output is a string displaying the result from executing your {language} query.
The reward is a decimal value between 0 and 1.

## REWARD DESCRIPTION
The reward should be interpreted as a ratio. It tells you how many rows your {language}
command outputted correctly compared to the correct answer.

## RULES
1. Do NOT ask questions. Your commands are fed directly into a SQL compiler.\x20

## STRATEGY
You are free to play as many turns of the game as you'd like to inspect tables
and develop your {language} command.

The best strategy for this game is to first write {language} commands that help you learn
about the tables that you have access to. For instance, in a SQL environment, you might use `SHOW TABLES`
and `DESC <table name>` to learn more about the tables you have access to.

Once you have a good understanding of the tables, you should then write {language} commands
that would answer the natural language query using the tables you have access to.
"""

RETRY = """No {language} code was found in your last response.

Your response should be a {language} command. Format your {language} command as follows:

```{language}
Your {language} code here
```
"""


class Blocked(ValueError):
    """An answer on which the original's parser fails: it ends the episode there."""


def sampling(max_new_tokens: int) -> Sampling:
    """As the paper's authors asked their server."""
    return Sampling(max_new_tokens, temperature=0.01, stops=STOPS)


def window(messages: Sequence[Message], limit: int | None) -> list[Message]:
    """The first two messages and the last ``limit`` ones."""
    if limit and len(messages) - 2 > limit:
        return [*messages[:2], *messages[-limit:]]
    return list(messages)


def asked(query: str) -> str:
    """The first message of templates ``v2`` and ``game_sql``."""
    return f'Query: "{query}".\nDo not generate any output or reward.\n'


def describe_turn(setting: str, language: str, query: str, turn: Turn) -> str:
    """What follows a turn: its observation, as it was cut, and its reward."""
    reward = repr(turn.reward) if turn.info["code"] else "0"
    return f"""{setting} Output: {turn.observation}
Reward: {reward}
Here is the query again: "{query}"
Try something different to generate {language} command to get a reward of 1.
Do not generate any output or reward.
"""


def dialogue(
    beginning: Sequence[Message], setting: str, language: str, query: str, turns: Sequence[Turn]
) -> list[Message]:
    """All messages before the next answer. What a model has said appears as it was parsed."""
    made: list[Message] = [*beginning, {"role": "user", "content": asked(query)}]
    for turn in turns:
        made.append({"role": "assistant", "content": turn.info["action"]})
        made.append({"role": "user", "content": describe_turn(setting, language, query, turn)})
    return made


def cut(observation: str) -> str:
    """An observation that is a text, as it is told."""
    return observation[:LETTERS] or "No output"


def cut_rows(rows: Sequence[tuple]) -> str:
    """An observation that is a list of rows, as it is told."""
    return str(list(rows[:ROWS])) if rows else "No output"


def parse_bash(answer: str, repaired: bool = False) -> str:
    """The command of an answer. The original lower-cases what stands in a fence and joins its words
    by single blanks; ``repaired`` takes it as it stands, line by line."""
    if repaired:
        fenced = re.search(r"```(?:bash|BASH|sh)?\n?([\S\s]+?)```", answer)
        return fenced.group(1).strip() if fenced else answer.strip()
    answer = answer.replace("\n", " ")
    if "```" not in answer:
        if answer.lower().startswith("bash: "):
            return answer[len("bash: ") :]
        if "command:" in answer.lower():
            if "command:" not in answer:
                raise Blocked("substring not found")
            return answer[answer.index("command:") + len("command:") :]
    lowered = answer.lower()
    found = re.search(r"```(?:bash|BASH|sh)?([\S\s]+?)```", lowered)
    return " ".join(found.group(1).split()) if found else answer


def parse_sql(answer: str) -> tuple[str, bool]:
    """``(query, whether it is one)``. A query ends at the first semicolon."""
    answer = answer.replace("\\_", "_")
    if "```" not in answer:
        if answer.startswith("SQL: "):
            return answer[len("SQL: ") :][:1].partition(";")[0], True  # the original takes a letter
        for word in SQL_BEGINNINGS:
            if word in answer:
                return answer[answer.index(word) :].partition(";")[0], True
    found = re.search(r"```(?:sql|SQL)?([\S\s]+?)```", answer)
    if found is None:
        return answer, False
    query = " ".join(found.group(1).split()).partition(";")[0]
    words = query.split()
    return query, bool(words) and words[0].upper() in SQL_BEGINNINGS


def format_handicap(tables: Mapping[str, Sequence[str]]) -> str:
    """The schema of a database, which is told as a system message."""
    lines = [f"- {name}: {list(columns)!s}\n" for name, columns in tables.items()]
    return "MySQL tables, with their properties\n" + "".join(lines)
