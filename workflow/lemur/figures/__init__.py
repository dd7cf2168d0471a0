"""Figures and tables: each reads results and writes SVG or tables whose bytes depend on them alone."""
