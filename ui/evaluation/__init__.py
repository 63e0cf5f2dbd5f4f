"""The pages that `evaluate --report` writes, to print."""
