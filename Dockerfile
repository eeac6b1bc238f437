# The prediction server alone: no torch, no shell tools beyond the base image, a user without rights.
FROM python:3.12-slim AS build
COPY pyproject.toml README.md LICENSE constraints.txt /src/
COPY src /src/src
RUN python -m venv /opt/finegraft \
 && /opt/finegraft/bin/pip install --no-cache-dir -c /src/constraints.txt "/src[serve]"

FROM python:3.12-slim
COPY --from=build /opt/finegraft /opt/finegraft
ENV PYTHONDONTWRITEBYTECODE=1
USER 65532:65532
EXPOSE 8000
STOPSIGNAL SIGTERM
HEALTHCHECK --interval=10s --timeout=5s CMD ["/opt/finegraft/bin/python", "-c", "import urllib.request; urllib.request.urlopen('http://127.0.0.1:8000/healthz', timeout=4)"]
ENTRYPOINT ["/opt/finegraft/bin/finegraft", "serve"]
CMD ["/models/flowers.fg", "--host", "0.0.0.0"]
