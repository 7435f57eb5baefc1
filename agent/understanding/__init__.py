"""From what is stored and what was said to a profile and an intent."""
