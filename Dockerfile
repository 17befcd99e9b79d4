# Two images: `service` (the consumer and watch: no torch) and `producer` (neither torch nor ONNX Runtime).
FROM python:3.12-slim AS base
ENV PYTHONUNBUFFERED=1 PYTHONDONTWRITEBYTECODE=1 PIP_NO_CACHE_DIR=1 PIP_DISABLE_PIP_VERSION_CHECK=1 \
    PIP_ROOT_USER_ACTION=ignore
RUN useradd --system --uid 10001 --no-create-home season
WORKDIR /app

FROM base AS producer
COPY requirements/producer.txt requirements/
RUN pip install --require-hashes --no-deps -r requirements/producer.txt
COPY pyproject.toml ./
COPY season season
COPY producer producer
COPY data data
COPY docker/replay.sh docker/
USER 10001
CMD ["python", "-m", "producer", "--help"]

FROM base AS service
COPY requirements/service.txt requirements/
RUN pip install --require-hashes --no-deps -r requirements/service.txt
COPY pyproject.toml ./
COPY season season
COPY consumer consumer
# The loops are compiled here, so that a container does not, which may have a read-only root.
RUN python -m consumer.warm
COPY models models
# ONNX Runtime would tell its maker of each start.
ENV ORT_DISABLE_TELEMETRY=1
USER 10001
EXPOSE 8000
CMD ["python", "-m", "consumer"]
