"""From a profile and an intent to about fifty candidates: by meaning, by behaviour, by words, fused."""
