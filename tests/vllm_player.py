"""An environment played by a real vLLM, in vLLM's environment, by the script that the rule runs.

    env-run vllm python tests/vllm_player.py ASKED.json ANSWERS.json

ASKED: ``{"spec": {...}, "model": folder, "out": episodes.jsonl}``.
"""

import json
import subprocess
import sys
from pathlib import Path

PLAY = Path(__file__).resolve().parent.parent / "scripts" / "7_agents" / "play.py"


def main() -> None:
    """The script writes ``out``; the answers only say that it did."""
    with open(sys.argv[1]) as file:
        asked = json.load(file)
    files = ["--model", asked["model"], "--data", "none", "--out", asked["out"]]
    subprocess.run([sys.executable, PLAY, "--spec", json.dumps(asked["spec"]), *files], check=True)
    with open(sys.argv[2], "w") as file:
        json.dump("played", file)


if __name__ == "__main__":
    main()
