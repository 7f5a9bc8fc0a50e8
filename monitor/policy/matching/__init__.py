"""Is a post about one of our organisations, and about which?"""
