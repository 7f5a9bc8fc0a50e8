"""Many voices on one theme."""
