"""Spider (Yu et al. 2018, arXiv 1809.08887): SQL judged by what it returns on Spider's databases,
and by its clauses."""
