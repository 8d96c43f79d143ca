"""Is it a good recommender? Protocol, baselines, statistics and reports."""
