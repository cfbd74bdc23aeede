"""How long work runs: what is asked (requests), where (run), what is said (events), in which process (worker)."""
