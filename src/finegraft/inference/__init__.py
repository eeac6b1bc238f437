"""What leaves the lab: a predictor, and the one file that holds it.

`prediction` one answer · `choice` which classes may be answered · `engines` runtimes opened when first needed ·
`predictor` file bytes to answers · `bundle` a predictor as `model.fg` · `archive`, `model_json`, `graph_safety` its
three parts, each read as if a stranger had made it · `samples` the pictures re-checked on load · `card` its text.
"""
