# The one binary, static, without a shell and without root. docs/how-to/compose.md says
# how to build it.
#
#   docker build --build-arg VERSION="$(git describe --tags --always)" .
#
# The same sources and the same base image give the same binary, byte by byte. Give both
# images by digest (GO_IMAGE, BASE_IMAGE) where the whole image must be so too.
ARG GO_IMAGE=golang:1.26.8-bookworm
ARG BASE_IMAGE=gcr.io/distroless/static-debian12:nonroot

FROM ${GO_IMAGE} AS build
WORKDIR /src
COPY go.mod go.sum ./
RUN go mod download
COPY . .
ARG VERSION=unknown
RUN CGO_ENABLED=0 go build -trimpath -buildvcs=false -ldflags "-s -w -X main.version=$VERSION" -o /keyholder ./cmd/keyholder && mkdir /blobs

# Certificates for the partners' TLS come with the image; time zones are in the binary.
FROM ${BASE_IMAGE}
ARG VERSION=unknown
LABEL org.opencontainers.image.title="Keyholder" \
      org.opencontainers.image.description="Durable workflows for property management, on Temporal" \
      org.opencontainers.image.version="${VERSION}"
COPY --from=build /keyholder /keyholder
# A volume mounted here takes over this owner.
COPY --from=build --chown=65532:65532 /blobs /blobs
USER 65532:65532
# 8080 is the ingress, 9090 metrics, 8234 the codec.
EXPOSE 8080 9090 8234
# A worker's; docker-compose.yml has that of each part.
HEALTHCHECK --interval=15s --timeout=5s --start-period=30s CMD ["/keyholder", "healthcheck"]
ENTRYPOINT ["/keyholder"]
