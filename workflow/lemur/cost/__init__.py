"""What a resolved recipe costs before any of it runs. Standard library only; milliseconds.

``planned`` is the view of a recipe that all others take, ``summary`` what the Snakefile prints before
the job table (``scoring`` where nothing is trained), ``cost`` the same as data, ``check`` the refusal of
a recipe that cannot fit its devices, ``host_memory_mb`` a training job's request.
"""

from lemur.cost.estimate import cost, host_memory_mb
from lemur.cost.fit import check
from lemur.cost.recipe import Recipe, planned
from lemur.cost.scoring import scoring
from lemur.cost.summary import summary

__all__ = ["Recipe", "check", "cost", "host_memory_mb", "planned", "scoring", "summary"]
