# The image holds a virtual environment with the hashed pins and Muster's wheel; no compiler, no tools, no sources.
# For Chinese labels in pictures add `fonts-noto-cjk` to the runtime stage.

FROM python:3.11-slim-bookworm AS build
WORKDIR /src
RUN python -m venv /opt/build && python -m venv /opt/muster
# The pins change rarely and the sources often: the slow layers come first.
COPY requirements/ requirements/
RUN /opt/muster/bin/pip install --no-cache-dir --require-hashes --requirement requirements/runtime.txt \
 && /opt/build/bin/pip install --no-cache-dir --require-hashes --requirement requirements/build.txt
COPY pyproject.toml README.md LICENSE ./
COPY skills/ skills/
COPY dispatcher/ dispatcher/
COPY solver/ solver/
COPY data/ data/
COPY api/ api/
RUN /opt/build/bin/pip wheel --no-deps --no-build-isolation --wheel-dir /dist . \
 && /opt/muster/bin/pip install --no-deps --no-index /dist/muster-*.whl \
 && /opt/muster/bin/pip check

FROM python:3.11-slim-bookworm
RUN useradd --system --uid 10001 --create-home --home-dir /home/muster muster
COPY --from=build /opt/muster /opt/muster
ENV PATH=/opt/muster/bin:$PATH \
    PYTHONDONTWRITEBYTECODE=1 \
    PYTHONUNBUFFERED=1
USER muster
WORKDIR /home/muster
HEALTHCHECK --interval=30s --timeout=10s --start-period=10s CMD ["muster", "--version"]
ENTRYPOINT ["muster"]
CMD ["demo"]
