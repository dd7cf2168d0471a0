"""Send results to archives: shown first, refused where a licence forbids it, continued after a kill."""
