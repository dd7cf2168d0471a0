"""Records and tables of data sets, read alike by every stage."""
