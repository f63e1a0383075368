"""The history of a prompt: versions, which are Git commits, and the labels that name them."""
