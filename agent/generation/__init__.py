"""Language models behind one protocol, and the prompts that they are given."""
