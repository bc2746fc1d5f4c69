"""What ``SemiPrune.fit`` runs: settings, refusals, models, stages and their cache, held-out labels, the selection."""
