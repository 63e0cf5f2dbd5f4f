"""Scans in: documents, pages and marks out."""
