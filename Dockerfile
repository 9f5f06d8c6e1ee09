# One static file and the certificates of well-known authorities.
FROM rust:1.89-alpine AS build
RUN apk add --no-cache musl-dev ca-certificates
WORKDIR /src
COPY . .
RUN cargo build --locked --release --no-default-features && mkdir -m 1777 /empty

FROM scratch
COPY --from=build /src/target/release/haul /haul
COPY --from=build /etc/ssl/certs/ca-certificates.crt /etc/ssl/certs/ca-certificates.crt
# For input that must be spooled, and a home for configuration and notes.
COPY --from=build /empty /tmp
COPY --from=build --chown=65534:65534 /empty /home/haul
ENV HOME=/home/haul
USER 65534:65534
ENTRYPOINT ["/haul"]
