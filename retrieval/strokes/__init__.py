"""Draws marks: an identity is a program of strokes, a hand redraws it, a pen inks it."""
