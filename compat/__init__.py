"""Proof that tools of others work unmodified: `make matrix` runs official SDKs, `make test-clients` whole programs."""
