"""Who is told, when, and who next."""
