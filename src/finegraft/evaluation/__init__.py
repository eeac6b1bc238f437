"""How good the answers are, and how sure we may be of that. NumPy only.

`intervals` what a number may really be · `metrics` the headline numbers · `tables` which records and classes go
wrong · `calibration` whether probabilities mean what they say · `result` one row per record · `run` the RUN folder.
"""
