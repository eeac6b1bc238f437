"""What may be wrong with labelled data, as functions of arrays: the same for photos and everything else.

`confident` which labels are suspects, from out-of-fold probabilities · `decisions` what a person decided, as a journal
that loses nothing, and what it makes of the records.
"""
