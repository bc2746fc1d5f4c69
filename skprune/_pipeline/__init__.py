"""What ``SemiPrune.fit`` runs: parameters, models, stages, the held-out labels, the choice, the store."""
