# The one binary, static, without a shell and without root.
FROM golang:1.26-bookworm AS build
WORKDIR /src
COPY go.mod go.sum ./
RUN go mod download
COPY . .
# docker build --build-arg VERSION=$(git describe --tags --always) .
ARG VERSION=unknown
RUN CGO_ENABLED=0 go build -trimpath -buildvcs=false -ldflags "-s -w -X main.version=$VERSION" -o /keyholder ./cmd/keyholder && mkdir /blobs

# Certificates for the partners' TLS come with the image; time zones are in the binary.
FROM gcr.io/distroless/static-debian12:nonroot
COPY --from=build /keyholder /keyholder
# A volume mounted here takes over this owner.
COPY --from=build --chown=65532:65532 /blobs /blobs
ENTRYPOINT ["/keyholder"]
