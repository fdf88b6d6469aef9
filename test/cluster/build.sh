#!/usr/bin/env bash
# Builds a real kube-apiserver, kubectl and etcd from Go modules, once, and prints their folder: about eight minutes on
# two cores. KUBERNETES=v1.x.y picks a version.
set -euo pipefail

kubernetes=${KUBERNETES:-v1.37.2}
etcd=v3.7.3
folder="${XDG_CACHE_HOME:-$HOME/.cache}/ehi-gateway-tools/kubernetes-$kubernetes"
export GOFLAGS='-mod=mod -trimpath'

# module: where its source lies.
source_of() {
  GOFLAGS='' go mod download -json "$1" | python3 -c 'import json, sys; print(json.load(sys.stdin)["Dir"])'
}

# import, call: a main package in the current folder.
command_file() {
  mkdir -p "$1"
  printf 'package main\n\nimport (\n%s\n)\n\nfunc main() { %s }\n' "$2" "$3" >"$1/main.go"
}

build_kubernetes() {
  mkdir -p "$folder/source/kubernetes" && cd "$folder/source/kubernetes"
  local source staging
  source=$(source_of "k8s.io/kubernetes@$kubernetes")
  staging=v0.${kubernetes#v1.}
  # In its own repository these modules lie in a folder; elsewhere they come in the version that belongs to it.
  {
    printf 'module local\n\n%s\n\nrequire k8s.io/kubernetes %s\n\nreplace (\n' "$(grep -E '^go ' "$source/go.mod")" "$kubernetes"
    sed -nE "s|^\s+(k8s.io/[a-z0-9.-]+) => \./staging.*|\t\1 => \1 $staging|p" "$source/go.mod"
    printf ')\n'
  } >go.mod
  rm -f go.sum
  command_file kube-apiserver '"os"; "k8s.io/component-base/cli"; "k8s.io/kubernetes/cmd/kube-apiserver/app"' \
    'os.Exit(cli.Run(app.NewAPIServerCommand()))'
  command_file kubectl '"os"; "k8s.io/component-base/cli"; "k8s.io/kubectl/pkg/cmd"' \
    'os.Exit(cli.Run(cmd.NewDefaultKubectlCommand()))'
  go mod tidy
  # Charts ask for the version, which a release's build would set.
  local minor=${kubernetes#v1.} package=k8s.io/component-base/version
  go build -o "$folder/bin/" -ldflags "-X $package.gitVersion=$kubernetes -X $package.gitMajor=1 -X $package.gitMinor=${minor%%.*}" \
    ./kube-apiserver ./kubectl
}

build_etcd() {
  mkdir -p "$folder/source/etcd" && cd "$folder/source/etcd"
  printf 'module local\n\ngo 1.26\n' >go.mod
  rm -f go.sum
  command_file etcd '"os"; "go.etcd.io/etcd/server/v3/etcdmain"' 'etcdmain.Main(os.Args)'
  go get "go.etcd.io/etcd/server/v3@$etcd"
  go mod tidy
  go build -o "$folder/bin/" ./etcd
}

mkdir -p "$folder/bin"
[ -x "$folder/bin/kube-apiserver" ] || build_kubernetes >&2
[ -x "$folder/bin/etcd" ] || build_etcd >&2
printf '%s\n' "$folder/bin"
