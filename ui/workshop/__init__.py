"""The prompt workshop: prompts edited beside real people and lists, and contenders compared blind. For its owner."""
