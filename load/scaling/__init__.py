"""What a deployment costs: constants that are measured, a model made of them, and a simulation that checks it.

`python -m load.scaling` is its command; docs/scaling.md says what came out.
"""
