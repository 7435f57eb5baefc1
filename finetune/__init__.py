"""What makes the agent better from its own data. Training and evaluation arrive here; see CHANGELOG.md."""
