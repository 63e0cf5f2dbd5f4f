"""Draws a synthetic archive: handwritten pages with merchants' marks, metadata and truth."""
