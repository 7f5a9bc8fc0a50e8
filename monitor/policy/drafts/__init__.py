"""What must not stand in a reply."""
