# The image holds a virtual environment with the hashed pins and Muster's wheel; no compiler, no tools, no sources.
# For Chinese labels in pictures add `fonts-noto-cjk` to the runtime stage.
#
#     docker run --publish 8000:8000 --env MUSTER_TOKEN=... --volume muster:/home/muster/var muster
#
# Whoever reaches the container could change everything, so it does not start without MUSTER_TOKEN.

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
# The search kernel, compiled for any processor of this architecture and not for the one of the build. Compiled code is
# found again by the sources' times of change, of which layers of images keep whole seconds only.
RUN touch --date=2026-01-01T00:00:00Z /opt/muster/lib/python3.11/site-packages/solver/kernel/*.py \
 && /opt/muster/bin/python -m compileall -q /opt/muster/lib/python3.11/site-packages/solver/kernel \
 && NUMBA_CPU_NAME=generic MUSTER_KERNEL_CACHE=/opt/kernel /opt/muster/bin/python -m solver.warm

FROM python:3.11-slim-bookworm
RUN useradd --system --uid 10001 --create-home --home-dir /home/muster muster \
 && install --directory --owner=muster --group=muster /home/muster/var
COPY --from=build /opt/muster /opt/muster
# numba asks to be able to write where it reads.
COPY --from=build --chown=muster:muster /opt/kernel /opt/muster/kernel
ENV PATH=/opt/muster/bin:$PATH \
    PYTHONDONTWRITEBYTECODE=1 \
    PYTHONUNBUFFERED=1 \
    NUMBA_CPU_NAME=generic \
    MUSTER_KERNEL_CACHE=/opt/muster/kernel \
    MUSTER_HOST=0.0.0.0
USER muster
WORKDIR /home/muster
# The SQLite database, where no other one is named.
VOLUME /home/muster/var
EXPOSE 8000
HEALTHCHECK --interval=30s --timeout=10s --start-period=20s \
  CMD ["python", "-c", "import os, urllib.request as r; r.urlopen(f'http://127.0.0.1:{os.environ.get(\"MUSTER_PORT\", 8000)}/healthz', timeout=5)"]
ENTRYPOINT ["muster"]
CMD ["serve"]
