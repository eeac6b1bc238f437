"""fastai on the same photos, with the same backbone and weights, on the same machine: `make bench`."""
