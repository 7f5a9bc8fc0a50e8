"""Faults on purpose, in small."""
