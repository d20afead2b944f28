#!/usr/bin/env bash
# containers.sh up FOLDER PORT | down FOLDER
#
# Builds the images from the real Dockerfile and brings up the real docker-compose.yml, with the load balancer at 127.0.0.1:PORT.
# FOLDER (new, of its own) gets everything that is made on the way, and the file `engine` with the command that speaks to the
# engine. `down` takes down what `up` brought up, in whatever state it is, and removes the folder.
#
# Where a container engine answers, it is used, with the real base images. Elsewhere podman runs here, as root and for this alone,
# with stand-ins of the base images under the same names: the machine's own Debian release by debootstrap, and the machine's own
# .NET. docs/operations.md says what that cannot show.
set -euo pipefail
root=$(cd "$(dirname "${BASH_SOURCE[0]}")/../.." && pwd)
verb=$1 folder=$2
export COMPOSE_PROJECT_NAME=gatewaycheck

say() { printf 'containers: %s\n' "$*"; }
skip() { say "$*"; exit 77; }
fail() { say "$*" >&2; exit 1; }

sdk_image=$(sed -n 's/^ARG SDK=//p' "$root/Dockerfile")
runtime_image=$(sed -n 's/^ARG RUNTIME=//p' "$root/Dockerfile")
other_images=$(sed -n 's/^ *image: *\([^ ]*:[^ ]*\)$/\1/p' "$root/docker-compose.yml")

engine_answers() { command -v docker >/dev/null && timeout 20 docker version --format '{{.Server.Version}}' >/dev/null 2>&1; }

# --- A real engine ---

compose() {
  if [ ! -e "$folder/podman" ] && docker compose version >/dev/null 2>&1; then docker compose "$@"; else docker-compose "$@"; fi
}

# --- podman with stand-ins ---

use_podman() {
  export CONTAINERS_CONF=$folder/containers.conf CONTAINERS_STORAGE_CONF=$folder/storage.conf TMPDIR=$folder/tmp
  export DOCKER_HOST=unix://$folder/api.sock
}

configure_podman() {
  mkdir -p "$folder"/{tmp,storage,run,networks,libpod,volumes}
  : >"$folder/podman"
  # cgroupfs and runc: crun refuses mixed cgroups. The limits: raising them is not permitted everywhere. Locks of its own.
  cat >"$folder/containers.conf" <<CONF
[containers]
default_ulimits = ["nofile=4096:4096", "nproc=4096:4096"]
[engine]
cgroup_manager = "cgroupfs"
runtime = "runc"
events_logger = "file"
lock_type = "file"
tmp_dir = "$folder/libpod"
volume_path = "$folder/volumes"
[network]
network_backend = "netavark"
network_config_dir = "$folder/networks"
CONF
  cat >"$folder/storage.conf" <<CONF
[storage]
driver = "overlay"
graphroot = "$folder/storage"
runroot = "$folder/run"
CONF
  use_podman
  podman info >/dev/null 2>&1 && return
  sed -i 's/"overlay"/"vfs"/' "$folder/storage.conf"
  rm -rf "$folder/storage" && mkdir "$folder/storage"
  podman info >/dev/null || fail "podman does not work on this machine (see above)"
}

make_stand_ins() {
  local release mirror dotnet container image
  release=$(. /etc/os-release && printf %s "$VERSION_CODENAME")
  mirror=$(apt-get indextargets --format '$(CODENAME) $(SITE)' 'Created-By: Packages' | sed -n "s/^$release //p" | head -n 1)
  [ -n "$mirror" ] || fail "apt knows no mirror of Debian $release"
  say "making a Debian $release (debootstrap)"
  debootstrap --variant=minbase --include=ca-certificates,openssl,libstdc++6,redis-server,redis-tools,haproxy \
    "$release" "$folder/rootfs" "$mirror" >"$folder/debootstrap.log" 2>&1 || { tail -n 20 "$folder/debootstrap.log"; fail "debootstrap failed"; }
  rm -rf "$folder"/rootfs/var/cache/apt/* "$folder"/rootfs/var/lib/apt/lists/*
  tar -C "$folder/rootfs" -c . | podman import -q - localhost/debian >/dev/null
  rm -rf "$folder/rootfs"
  for image in $other_images; do podman tag localhost/debian "docker.io/library/$image"; done

  say "making the .NET images from the machine's own .NET"
  dotnet=$(dirname "$(readlink -f "$(command -v dotnet)")")
  container=$(buildah from -q localhost/debian)
  buildah run "$container" -- ln -s /usr/share/dotnet/dotnet /usr/bin/dotnet
  buildah config --env DOTNET_SYSTEM_GLOBALIZATION_INVARIANT=1 "$container"
  # The SDK itself is mounted when it is used: it is large.
  buildah commit -q "$container" "$sdk_image" >/dev/null
  for part in host shared dotnet; do buildah copy -q "$container" "$dotnet/$part" "/usr/share/dotnet/$part" >/dev/null; done
  buildah commit -q "$container" "$runtime_image" >/dev/null
  buildah rm "$container" >/dev/null
  sdk_mount=$dotnet:/usr/share/dotnet:ro
}

# build TAG TARGET: with the machine's registry settings and certificate authorities lent to the build, and left nowhere.
build_with_podman() {
  local lend=() path
  for path in /etc/ssl/certs /usr/share/ca-certificates /usr/local/share/ca-certificates; do
    [ -d "$path" ] && lend+=(--volume "$path:$path:ro")
  done
  [ -f "$HOME/.nuget/NuGet/NuGet.Config" ] && lend+=(--secret "id=nuget,src=$HOME/.nuget/NuGet/NuGet.Config")
  podman build --format docker --pull=never --network host --volume "$sdk_mount" "${lend[@]}" \
    --build-arg TARGETARCH="$(dpkg --print-architecture)" \
    --target "$2" --tag "docker.io/library/$1" "$root" >"$folder/build-$1.log" 2>&1 \
    || { tail -n 40 "$folder/build-$1.log"; fail "the image $1 could not be built"; }
}

# podman leaves the timing of health checks to systemd; where that is absent, this.
keep_checking_health() {
  while [ -e "$folder/podman" ]; do
    for container in $(podman ps -q 2>/dev/null); do timeout 10 podman healthcheck run "$container" || true; done
    sleep 1
  done >/dev/null 2>&1
}

# start NAME COMMAND...: in the background, to be ended by `down`.
start() {
  local name=$1
  shift
  "$@" >"$folder/$name.log" 2>&1 </dev/null &
  echo $! >"$folder/$name.pid"
}

up() {
  export GATEWAY_PORT=127.0.0.1:$1
  mkdir -p "$folder"
  cd "$root"
  if engine_answers; then
    say "a container engine answers; the images are the real ones"
    echo docker >"$folder/engine"
    compose build >"$folder/build.log" 2>&1 || { tail -n 40 "$folder/build.log"; fail "the images could not be built"; }
  else
    [ "$(id -u)" = 0 ] || skip "no container engine answers, and only root can do without"
    for command in podman buildah runc debootstrap docker-compose; do
      command -v "$command" >/dev/null || skip "no container engine answers, and $command is missing"
    done
    say "no container engine answers: podman with stand-ins of the base images"
    configure_podman
    echo podman >"$folder/engine"
    make_stand_ins
    say "building the images"
    build_with_podman gateway gateway
    build_with_podman gateway-simulator simulator
    start api podman system service --time 0 "$DOCKER_HOST"
    start health keep_checking_health
    for _ in $(seq 100); do [ -S "$folder/api.sock" ] && break; sleep 0.1; done
  fi
  say "bringing up docker-compose.yml"
  timeout 180 bash -c "$(declare -f compose); folder=$folder; compose up -d --no-build" >"$folder/up.log" 2>&1 \
    || { tail -n 40 "$folder/up.log"; fail "docker-compose.yml did not come up"; }
  say "up"
}

down() {
  [ -d "$folder" ] || return 0
  cd "$root"
  if [ ! -e "$folder/podman" ]; then
    timeout 120 bash -c "$(declare -f compose); folder=$folder; compose down --volumes --timeout 1" >/dev/null 2>&1 || true
    rm -rf "$folder"
    return
  fi
  use_podman
  rm -f "$folder/podman"
  for pid in "$folder"/*.pid; do [ -e "$pid" ] && kill "$(cat "$pid")" 2>/dev/null || true; done
  timeout 60 podman rm --all --force --time 0 >/dev/null 2>&1 || true
  timeout 30 podman network prune --force >/dev/null 2>&1 || true
  timeout 30 podman unmount --all >/dev/null 2>&1 || true
  for mount in $(awk -v folder="$folder/" 'index($2, folder) == 1 { print $2 }' /proc/mounts | sort -r); do umount -l "$mount" || true; done
  rm -rf "$folder"
  say "taken down"
}

case $verb in
  up) up "$3" ;;
  down) down ;;
  *) fail "unknown: $verb" ;;
esac
