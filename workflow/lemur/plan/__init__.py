"""What a resolved recipe costs before any of it runs. Standard library only; milliseconds.

``summary`` is what the Snakefile prints before the job table (``scoring`` where nothing is trained), ``cost`` the same as data, ``check``
the refusal of a recipe that cannot fit its devices, ``host_memory_mb`` a training job's request.
"""

from lemur.plan.cost import cost, host_memory_mb
from lemur.plan.fit import check
from lemur.plan.scoring import scoring
from lemur.plan.summary import summary

__all__ = ["check", "cost", "host_memory_mb", "scoring", "summary"]
