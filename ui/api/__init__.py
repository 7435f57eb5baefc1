"""The service that developers call: HTTP and JSON over one agent. `app.py` composes it; read `recommend.py` first."""
