# syntax=docker/dockerfile:1
#
#   docker build -t gateway .                                the gateway
#   docker build -t gateway-simulator --target simulator .   the three upstreams, for demos and tests
#
# The final images have no shell and no package manager, run as a user without rights, and write nothing: run them with a
# read-only root file system. A build behind a registry of one's own gets its settings as a secret, which stays out of the image:
#   docker build --secret id=nuget,src=$HOME/.nuget/NuGet/NuGet.Config …

ARG SDK=mcr.microsoft.com/dotnet/sdk:10.0-noble
ARG RUNTIME=mcr.microsoft.com/dotnet/aspnet:10.0-noble-chiseled

# --- Packages: a layer that changes only with the project files ---------------------------------------------------------------
FROM ${SDK} AS packages
ARG TARGETARCH=amd64
ENV DOTNET_CLI_TELEMETRY_OPTOUT=1 \
    DOTNET_NOLOGO=1 \
    NUGET_PACKAGES=/packages
WORKDIR /source
COPY global.json Directory.Build.props Directory.Packages.props .editorconfig ./
COPY eng eng
COPY src/Gateway/Gateway.csproj src/Gateway/packages.*.lock.json src/Gateway/
COPY src/Gateway.Simulator/Gateway.Simulator.csproj src/Gateway.Simulator/
# Locked to the hashes of the platform's lock file, where there is one (docs/decisions/0005-lock-files.md).
RUN --mount=type=cache,id=gateway-nuget,target=/packages \
    --mount=type=secret,id=nuget,target=/source/NuGet.Config \
    case ${TARGETARCH} in amd64) rid=linux-x64 ;; *) rid=linux-${TARGETARCH} ;; esac \
 && echo "${rid}" >/rid \
 && dotnet restore src/Gateway -p:RuntimeIdentifier="${rid}" -p:PublishReadyToRun=true \
 && dotnet restore src/Gateway.Simulator

# --- Gateway ------------------------------------------------------------------------------------------------------------------
FROM packages AS gateway-build
COPY src/Gateway src/Gateway
# Restores again, from the cache: a cache that was cleared meanwhile must not break a layer that was kept.
RUN --mount=type=cache,id=gateway-nuget,target=/packages \
    --mount=type=secret,id=nuget,target=/source/NuGet.Config \
    dotnet publish src/Gateway -c Release -p:RuntimeIdentifier="$(cat /rid)" --self-contained false -p:PublishReadyToRun=true -p:DebugType=none -o /app

# --- Simulator ----------------------------------------------------------------------------------------------------------------
FROM packages AS simulator-build
COPY src/Gateway.Simulator src/Gateway.Simulator
RUN --mount=type=cache,id=gateway-nuget,target=/packages \
    --mount=type=secret,id=nuget,target=/source/NuGet.Config \
    dotnet publish src/Gateway.Simulator -c Release -p:IsPublishable=true -p:UseAppHost=false -p:DebugType=none -o /app \
 && mkdir /authority

FROM ${RUNTIME} AS simulator
WORKDIR /app
COPY --from=simulator-build /app ./
# Where it writes the certificate of its own authority: a volume that the gateway reads.
COPY --from=simulator-build --chown=1654:1654 /authority /authority
USER 1654:1654
ENV Simulator__ListenAddress=0.0.0.0 \
    Simulator__CertificateFile=/authority/ca.pem \
    DOTNET_EnableDiagnostics=0
EXPOSE 8081 8082 8083 8084
HEALTHCHECK --interval=5s --timeout=5s --start-period=20s --retries=3 CMD ["dotnet", "Gateway.Simulator.dll", "--check-health"]
ENTRYPOINT ["dotnet", "Gateway.Simulator.dll"]

# --- The image: last, so that a plain build makes it --------------------------------------------------------------------------
FROM ${RUNTIME} AS gateway
ARG VERSION=0.1.0
ARG REVISION=unknown
ARG CREATED=unknown
LABEL org.opencontainers.image.title="Aggregation gateway" \
      org.opencontainers.image.description="What can this customer buy here, and what does it cost: PrestaShop Billing joined with Paymentwall" \
      org.opencontainers.image.version="${VERSION}" \
      org.opencontainers.image.revision="${REVISION}" \
      org.opencontainers.image.created="${CREATED}"
WORKDIR /app
COPY --from=gateway-build /app ./
# The number, not the name: Kubernetes can then see that it is not root.
USER 1654:1654
# Diagnostics would write a socket to /tmp; to use them set this to 1 and mount a writable /tmp.
# Health and administration are on a port of their own, which no load balancer publishes. .NET looks for the user's certificates below HOME,
# which not every engine sets.
ENV ASPNETCORE_HTTP_PORTS=8080 \
    Hosting__ManagementPort=8081 \
    HOME=/home/app \
    DOTNET_EnableDiagnostics=0
EXPOSE 8080 8081
HEALTHCHECK --interval=10s --timeout=5s --start-period=20s --retries=3 CMD ["dotnet", "Gateway.dll", "--check-health"]
STOPSIGNAL SIGTERM
ENTRYPOINT ["dotnet", "Gateway.dll"]
