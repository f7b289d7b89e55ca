"""The ground that the rest stands on: settings, database, HTTP, clock, ids, logs. It knows nothing of the product."""
