"""One game of ALFWorld in a process of its own, since games of one process share state.

Run by the interpreter of the environment ``alfworld``, where nothing of this project is installed.
Reads JSON lines: first {"game": path (which may be packed by gzip), "commands": most of them, "planner": bool}, then {"command":
text} each; answers each with a JSON line of observation, won and done. A model's text is only ever
compared with the commands that the game allows.
"""

import copy
import functools
import gzip
import json
import os
import resource
import shutil
import sys
import tempfile
import threading
import time

MEMORY = 3 << 30  # bytes of address space: a game needs some 130 MB


def remember_parses():
    """Have TextWorld parse each text of a game's grammar once: it parses the same few hundred of them
    anew in every step, and copies every object that they may name, which no text changes. A step takes
    a fifth of the time and says the same.
    """
    from textworld import logic
    from textworld.envs.pddl import textgen

    for module in (textgen, logic):
        parse = functools.lru_cache(maxsize=None)(module._parse_and_convert)
        # What is parsed is given its context later: everybody gets a copy of his own.
        module._parse_and_convert = lambda *given, parse=parse, **named: copy.deepcopy(
            parse(*given, **named)
        )
    textgen.copy_context = lambda context: {
        **context,
        "variables": dict(context["variables"]),
        "mapping": dict(context["mapping"]),
    }


def begin(settings):
    """The game, its first observation and the planner's commands."""
    import textworld
    import textworld.gym
    from alfworld.agents.environment.alfred_tw_env import AlfredDemangler, AlfredInfos

    remember_parses()
    infos = textworld.EnvInfos(won=True, policy_commands=settings["planner"])
    with tempfile.TemporaryDirectory(prefix="lemur-game.") as folder:
        path = settings["game"]
        if path.endswith(".gz"):
            packed, path = path, os.path.join(folder, "game.tw-pddl")
            with gzip.open(packed) as whole, open(path, "wb") as file:
                shutil.copyfileobj(whole, file)
        name = textworld.gym.register_games(
            [path],
            infos,
            max_episode_steps=settings["commands"],
            wrappers=[AlfredDemangler(shuffle=False), AlfredInfos],
        )
        game = textworld.gym.make(name)
        observation, found = game.reset()
    plan = list(found.get("policy_commands") or ())
    return game, {"observation": observation, "plan": plan, "won": bool(found["won"])}


def end_with(parent):
    """End this process when the one that started it is gone: a plan may take minutes to find, and
    until it is found nobody reads that the input has ended."""
    while os.getppid() == parent:
        time.sleep(1)
    os._exit(1)


def main():
    threading.Thread(target=end_with, args=(os.getppid(),), daemon=True).start()
    resource.setrlimit(resource.RLIMIT_AS, (MEMORY, MEMORY))
    channel = os.fdopen(os.dup(1), "w", encoding="utf-8", errors="replace")
    nowhere = os.open(os.devnull, os.O_WRONLY)
    os.dup2(nowhere, 1)  # what libraries print is no answer

    def answer(value):
        channel.write(json.dumps(value) + "\n")
        channel.flush()

    try:
        game, first = begin(json.loads(sys.stdin.readline()))
        answer(first)
        for line in sys.stdin:
            observation, _, done, found = game.step(json.loads(line)["command"])
            answer({"observation": observation, "won": bool(found["won"]), "done": bool(done)})
    except BrokenPipeError:
        pass
    except Exception as error:
        answer({"error": f"{type(error).__name__}: {error}"[:300]})


main()
