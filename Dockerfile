# penstock in a container. Two stages: the first has the compiler, the second only what runs.
#
#   docker build -t penstock .
#   docker run --rm -p 8080:8080 penstock                        the quickstart
#   docker run --rm -p 8080:8080 --stop-timeout 40 \
#     -v ./my.yaml:/etc/penstock/penstock.yaml:ro penstock     one's own configuration
#
# The health check asks the admin: a configuration has `admin: {bind: 127.0.0.1:9900}`, or another
# address and `-e PENSTOCK_ADMIN=...`, or the container is started with `--no-healthcheck`.
# A stop drains: the engine's 10 s are too short for the drain's 30 s (runtime.drain.timeout).
FROM debian:trixie-slim AS build
WORKDIR /src
COPY scripts scripts
RUN scripts/install run
COPY CMakeLists.txt ./
COPY proxy proxy
RUN cmake -S . -B build -G Ninja -DCMAKE_BUILD_TYPE=Release -DPENSTOCK_TESTS=OFF \
      -DPENSTOCK_LTO=ON \
 && cmake --build build \
 && strip build/penstock

FROM debian:trixie-slim
LABEL org.opencontainers.image.title="penstock" \
      org.opencontainers.image.description="TCP reverse proxy and load balancer" \
      org.opencontainers.image.version="0.1.0"
RUN useradd --system --uid 65532 --user-group --no-create-home penstock
COPY --from=build /src/build/penstock /usr/local/bin/penstock
COPY config/quickstart /usr/share/penstock/config/quickstart
COPY config/quickstart.yaml /etc/penstock/penstock.yaml
# The quickstart names its files relative to here.
WORKDIR /usr/share/penstock
# Pipes are counted per user over all containers of a host (fs.pipe-user-pages-soft): where many
# sidecars share a host, give each a user of its own with --user.
USER 65532:65532
EXPOSE 8080
STOPSIGNAL SIGTERM
HEALTHCHECK --interval=5s --timeout=2s CMD ["/usr/local/bin/penstock", "ctl", "status"]
ENTRYPOINT ["/usr/local/bin/penstock"]
CMD ["run"]
