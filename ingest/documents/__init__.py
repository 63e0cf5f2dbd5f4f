"""What files of metadata say of documents, and which page belongs to which.

`reading` takes any of the files and gives `record.DocumentsFile`; `storing` brings its documents
into the catalogue, `binding` its pages to them.
"""
