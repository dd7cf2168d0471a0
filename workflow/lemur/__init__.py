"""The Lemur pipeline's package: one subpackage a stage; nothing here imports Snakemake."""
