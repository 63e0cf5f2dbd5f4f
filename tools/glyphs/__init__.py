"""Traces letters and signs of fonts into strokes, for the marks that `retrieval.strokes` draws."""
