"""Pages from IIIF servers: a manifest names a document's canvases, each has its image fetched.

`manifest` reads what a manifest says and `image_api` what an image server offers; both touch no
network. `fetching` speaks HTTP, `masters` keeps what it fetched, `cataloguing` tells the
catalogue.
"""
