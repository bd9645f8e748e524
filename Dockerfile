# The programs, without the extras: docker build -t ecg-monitor-simulator .
# PyTorch's default wheels for Linux bring CUDA along, gigabytes of it. Name the index of its CPU wheels to do without:
#   docker build --build-arg PIP_EXTRA_INDEX_URL=... -t ecg-monitor-simulator .
FROM python:3.11-slim
ARG PIP_EXTRA_INDEX_URL
COPY . /src
RUN pip install --no-cache-dir -c /src/constraints.txt /src \
    && rm -rf /src \
    && useradd --create-home ecg \
    && install -d -o ecg -g ecg /var/lib/ecg /run/ecg
ENV XDG_RUNTIME_DIR=/run/ecg
USER ecg
WORKDIR /var/lib/ecg
CMD ["ecg-monitor", "serve"]
