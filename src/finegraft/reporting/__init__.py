"""What a person looks at: the report of a run, the gallery of answers, and the figures in them.

One HTML file each, with everything in it: no network, no script.
"""
