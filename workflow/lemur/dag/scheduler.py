"""Keeps Snakemake from looking at its waiting jobs ever more often, the more jobs have ended.

It bounds the jobs that begin in a timespan (``--max-jobs-per-timespan``, 100 a second where nobody
says otherwise), and after every look at the waiting jobs sets a timer for another. The end of a job
is a look of its own, which sets a timer too, and each timer is followed by another: after 50 jobs it
looked 50 times a second and took 28 % of a core (Snakemake 9.27, ``JobScheduler.schedule``).
"""

from typing import Any

USUAL = (100, 1)
"""Jobs and seconds of the bound that Snakemake's command line has by itself."""


def look_when_a_job_ends(scheduler: Any) -> None:
    """Drop the usual bound, which no machine of one user reaches, and with it the timers.

    A bound that somebody asked for stays. ``scheduler``: Snakemake's own.
    """
    limiter = scheduler.job_rate_limiter
    if limiter and (limiter.max_jobs, limiter.timespan) == USUAL:
        scheduler.job_rate_limiter = None
