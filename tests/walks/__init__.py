"""Walks through the five policies: documents that are performed, and must be true."""
