"""A model behind HTTP: the prediction API and its limits. Needs the extra `serve`, no torch.

`limits` what a request may cost · `problems` the errors clients see · `receiving` a request's files · `answering` the
bounded queue and its workers · `models` what is served, checked and swapped · `metrics` for Prometheus · `app` the
routes · `openapi` their description · `pages` the page of people · `running` the process: signals and logs ·
`connections` clients that dawdle or hang up · `lingering` bodies that go on after their answer.
"""
