# plusone in a container: `docker build -t plusone .`, then
#   docker run -v plusone-home:/home/plusone -p 8470:8470 plusone
#
# The home folder (configuration, templates, the SQLite database, the outbox) is the volume. A new volume starts with
# the sample business.

FROM rust:1.95-slim-bookworm AS build
RUN apt-get update && apt-get install -y --no-install-recommends gcc libc6-dev && rm -rf /var/lib/apt/lists/*
WORKDIR /src
COPY . .
RUN cargo build --release --locked

FROM debian:bookworm-slim
RUN apt-get update && apt-get install -y --no-install-recommends ca-certificates && rm -rf /var/lib/apt/lists/* \
 && useradd --uid 10001 --create-home --home-dir /home/plusone --shell /usr/sbin/nologin plusone
COPY --from=build /src/target/release/plusone /usr/local/bin/plusone
COPY --from=build --chown=plusone:plusone /src/config /home/plusone/config
COPY --from=build --chown=plusone:plusone /src/templates /home/plusone/templates
USER plusone
WORKDIR /home/plusone
# the default, 127.0.0.1, cannot be reached from outside the container
ENV PLUSONE_HOME=/home/plusone PLUSONE_WEB__LISTEN=0.0.0.0:8470 PLUSONE_LOG__FORMAT=json
VOLUME /home/plusone
EXPOSE 8470
# SIGTERM: what is in flight is finished first
STOPSIGNAL SIGTERM
ENTRYPOINT ["plusone"]
CMD ["run"]
