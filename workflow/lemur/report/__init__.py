"""results/<recipe>/report.html: one static page made of a run's figures, scores and tables."""
