"""Two recipes or two finished runs: what differs, what that reruns, what it costs, what it changed."""
