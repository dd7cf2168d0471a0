"""Snakemake's jobs on a SLURM cluster: how they are submitted, watched and counted as done."""
