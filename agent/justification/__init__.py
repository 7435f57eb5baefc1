"""From facts to a sentence that states nothing else."""
