"""Opt-in probes: what a client sees of the product's servers, asked harmlessly and within limits. Nothing here knows what is wanted."""
