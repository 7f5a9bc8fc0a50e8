"""What is asked of sources, how often, and what was seen of them."""
