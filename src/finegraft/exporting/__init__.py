"""A model in the formats of others, and the gate they pass: an export that answers differently is not written.

`plain` the graph with probabilities for outputs · `formats` what can be written · `torch_model` the network as torch
tensors · `web` a page that runs the model, `web_runtime` what it does so with · `opened` an export read back · `asked`
the process it is asked in · `golden` pictures of every awkward kind · `parity` the comparison.
"""
