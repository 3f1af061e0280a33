"""What every route shares: problem documents, who asks, limits, logs, metrics, request bodies, conditions."""
