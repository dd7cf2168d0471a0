"""The Lemur pipeline's package: one subpackage a stage; only dag and slurm know Snakemake."""
