"""Local stand-ins for the services that the project talks to, for development, tests and benchmarks.

Run ``python -m sandbox``; ``sandbox/README.md`` describes the data and the control calls. The sandbox imports nothing
of the project's own code: it is written from what the vendors document, so that a mistake of ours shows.
"""
