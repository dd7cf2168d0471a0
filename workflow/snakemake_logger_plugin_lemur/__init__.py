"""The name by which Snakemake finds this project's logger plugin (lemur.dag.screen)."""

from lemur.dag.screen import Screen as LogHandler

__all__ = ["LogHandler"]
