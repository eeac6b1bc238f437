"""Every measured promise (`make accept`) and the side-by-side with peers (`make bench`)."""
