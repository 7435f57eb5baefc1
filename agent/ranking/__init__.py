"""From candidates to an order and a varied list. Pure functions."""
