"""Stages of the data called with their specs as JSON has them, as their scripts are, and what they
write as JSON too: tests say both as plain data."""

from lemur.core.contracts import plain, read
from lemur.corpus import clean as cleaning
from lemur.corpus import datasheet as sheets
from lemur.corpus import duplicates as copies
from lemur.corpus.deduplication import DuplicatesSpec
from lemur.corpus.part_statistics import PartStatistics
from lemur.corpus.spec import CleanSpec, DatasheetSpec
from lemur.mixture import budget
from lemur.mixture.planned import Plan, PlanSpec
from lemur.sft import conversations, tokens
from lemur.sft.conversation import ConversationsSpec, TokensSpec
from lemur.tokenization import pack as packing


def clean(spec, *rest):
    cleaning.run(read(CleanSpec, spec, "--spec"), *rest)


def datasheet(spec, *rest):
    sheets.run(read(DatasheetSpec, spec, "--spec"), *rest)


def duplicates(spec, *rest):
    copies.run(read(DuplicatesSpec, spec, "--spec"), *rest)


def plan(spec, statistics):
    """Of each part only source, bytes and what matters here need be said."""
    parts = [
        read(PartStatistics, {"kind": "code", "documents": 1, **part}, "stats.json")
        for part in statistics
    ]
    return plain(budget.plan(read(PlanSpec, spec, "--spec"), parts))


def pack(spec, planned, sources):
    made = read(packing.PackSpec, spec, "--spec"), read(Plan, planned, "plan.json")
    *arrays, realised = packing.pack(*made, sources)
    return *arrays, plain(realised)


def gather(spec, *rest):
    wanted = read(ConversationsSpec, spec, "--spec")
    return map(plain, conversations.gather(wanted, *rest))


def write_sft(spec, *rest):
    return plain(tokens.write_sft(read(TokensSpec, spec, "--spec"), *rest))
