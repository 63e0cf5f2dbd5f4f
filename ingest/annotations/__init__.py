"""Marks as other programs write them: read from a file, and written to one.

`annotation.py` holds what every format is read into and written from; there is one module a
format; `formats.py` knows them all. `importing.py` puts what a file says into the catalogue,
`exporting.py` takes it out.
"""
