"""Pages from IIIF servers: a manifest lists a document's canvases, whose images are fetched.

`manifest` reads manifests and `image_api` what an image server offers; neither uses the network.
`fetching` speaks HTTP over `connections`, `masters` stores the images, `given_manifests` gets the
manifests asked for, `arrivals` keeps them beside their masters, and `cataloguing` writes their
pages and documents into the catalogue.
"""
