# The gateway and Node only: no shell, no package manager, and a user that cannot log in.
#
#   docker build --tag ehi-gateway .
#   docker run --read-only --cap-drop ALL --publish 8443:8443 \
#     --volume ./gateway:/etc/ehi-gateway:ro --volume ehi-trust:/var/cache/ehi-gateway ehi-gateway
#
# A package registry of your own: --secret id=npmrc,src=$HOME/.npmrc. docs/install.md describes the other options.

# A Debian-based image with Node 24.21 or newer, npm and a shell. Only Node and its libraries are copied from it.
ARG NODE_IMAGE=node:26-bookworm-slim

# checkov:skip=CKV_DOCKER_7:the tag is in NODE_IMAGE, which checkov does not resolve
FROM ${NODE_IMAGE} AS build
WORKDIR /build
COPY package.json package-lock.json .npmrc tsconfig.json LICENSE ./
# Install scripts of packages are off: no package that the gateway needs has one.
RUN --mount=type=secret,id=npmrc,target=/root/.npmrc npm ci --ignore-scripts
COPY src src
COPY packaging/*.ts packaging/
RUN npm run build
RUN --mount=type=secret,id=npmrc,target=/root/.npmrc npm ci --prefer-offline --ignore-scripts --omit=dev --omit=optional
COPY packaging/image/root.sh ./
RUN ./root.sh /build /image

FROM scratch
COPY --from=build /image /
ARG VERSION=0.0.0
ARG REVISION=unknown
LABEL org.opencontainers.image.title="ehi-gateway" \
      org.opencontainers.image.description="A mutual-TLS termination gateway for card-processing endpoints (Thredd EHI)." \
      org.opencontainers.image.licenses="Apache-2.0" \
      org.opencontainers.image.version="${VERSION}" \
      org.opencontainers.image.revision="${REVISION}"
ENV PATH=/usr/local/bin
# Node allocates a buffer of 64 KiB for each TLS connection. With this setting it is mapped on its own, and uses only the
# pages that were written; from the heap it would take 10 KiB more for each connection.
ENV MALLOC_MMAP_THRESHOLD_=65536
# A number, because Kubernetes cannot verify that a user name is not root.
USER 65532:65532
EXPOSE 8443 9090
STOPSIGNAL SIGTERM
HEALTHCHECK --interval=10s --timeout=5s --start-period=10s --retries=3 \
  CMD ["node", "--disable-sigusr1", "/opt/ehi-gateway/dist/main.js", "health", "--config", "/etc/ehi-gateway/gateway.yaml"]
ENTRYPOINT ["node", "--disable-sigusr1", "/opt/ehi-gateway/dist/main.js"]
CMD ["run", "--config", "/etc/ehi-gateway/gateway.yaml"]
