"""A service over one collection: search over HTTP, and a page to look at it.

server    binds the socket and runs until it is asked to stop
access    who may ask: Host names, the token
gate      in front of every request: Host, token, size of the body, how many at once, headers, counts
deadline  closes connections that send or read too slowly
app       the routes
bodies    what requests and answers hold, as the OpenAPI document shows it
answers   JSON, and errors as one line with a status
shelf     the collection that is served: kept fresh, ids for completion, links
searching what a search may ask, and which thread answers
scans     searches that wait are answered by one call
links     URLs of videos from templates
beside    the same query in two collections: what they share
client    a client in Python, of the standard library only
page/     HTML, CSS and one module of JavaScript
"""
