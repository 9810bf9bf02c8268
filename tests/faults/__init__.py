"""Faults: real gateways, killed, cut off, starved and lied to under load, and what must hold of every run."""
