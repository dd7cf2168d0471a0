"""BFCL's backends for one task: runs calls of their methods, and checks a record with BFCL's checker.

What is called are texts that were made from parsed literals, of methods that the task offers.
"""

import os
import sys

sys.path.insert(0, "/judge")
sys.path.insert(1, "/site")

import wire
from bfcl_eval.eval_checker.multi_turn_eval.multi_turn_checker import (
    multi_turn_checker,
    multi_turn_irrelevance_checker,
)
from bfcl_eval.eval_checker.multi_turn_eval.multi_turn_utils import execute_multi_turn_func_call
from confine import confine

LIMIT = 2 << 20  # bytes of all results together


def run(entry, calls):
    """What each call gives, as BFCL writes it."""
    return execute_multi_turn_func_call(
        calls, entry["initial_config"], entry["involved_classes"], "model", entry["id"],
        long_context="long_context" in entry["id"],
    )[0]  # fmt: skip


def check(entry, turns, gold):
    """(valid, why not)."""
    category = entry["id"].rsplit("_", 1)[0]
    found = multi_turn_checker(turns, gold, entry, category, "model")
    return found["valid"], str(found.get("error_message", ""))[:500]


def answer(entry, request):
    try:
        if "calls" in request:
            return {"results": run(entry, request["calls"])}
        valid, why = check(entry, request["turns"], request["gold"])
        idle = multi_turn_irrelevance_checker(request["turns"], request["gold"])["valid"]
        return {"valid": valid, "why": why, "idle": idle}
    except BaseException as error:
        return {"error": f"{type(error).__name__}: {error}"[:300]}


def main():
    channel = int(os.environ["LEMUR_CHANNEL"])
    confine(wire.receive(channel))
    try:
        entry = wire.receive(channel)
        wire.send(channel, {"ready": True})
        wire.serve(channel, lambda request: answer(entry, request), LIMIT)
    except wire.Closed:
        return


main()
