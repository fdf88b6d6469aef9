#!/bin/sh
# Builds the root of the image: Node and the libraries that it is linked to, certificates of public CAs, one user, and
# the gateway. Nothing else is in the image: no shell, no package manager, no npm.
set -eu
app=$1
root=$2

mkdir -p "$root/etc/ssl/certs" "$root/etc/ehi-gateway" "$root/opt/ehi-gateway" "$root/usr/local/bin" "$root/var/lib/dpkg/status.d"
install -d -m 1777 "$root/tmp"

node=$(readlink -f "$(command -v node)")
cp "$node" "$root/usr/local/bin/node"
linked=$(ldd "$node")
case $linked in *'not found'*) echo "the base image lacks a library of $node: $linked" >&2; exit 1 ;; esac
echo "$linked" | sed -n 's|.*[[:space:]]\(/[^ ]*\) (0x.*|\1|p' | while read -r library; do
  mkdir -p "$root${library%/*}"
  cp -L "$library" "$root$library"
done

# The packages of these libraries, where scanners look for them, with their licences.
cp -L /etc/os-release "$root/etc/os-release"
for package in libc6 libgcc-s1 libstdc++6 libatomic1; do
  if dpkg -s "$package" >"$root/var/lib/dpkg/status.d/$package" 2>/dev/null; then
    mkdir -p "$root/usr/share/doc/$package"
    cp -L "/usr/share/doc/$package/copyright" "$root/usr/share/doc/$package/copyright"
  else
    rm "$root/var/lib/dpkg/status.d/$package"
  fi
done

# The CAs that Node contains: slim images have none, and the package of the distribution changes from day to day.
node -p 'require("node:tls").getCACertificates("bundled").join("\n")' >"$root/etc/ssl/certs/ca-certificates.crt"
echo 'hosts: files dns' >"$root/etc/nsswitch.conf"
echo 'nonroot:x:65532:65532::/tmp:/sbin/nologin' >"$root/etc/passwd"
echo 'nonroot:x:65532:' >"$root/etc/group"
# `trust.cacheDir`: the only folder that the gateway writes to. A new volume inherits its owner and mode.
install -d -m 700 -o 65532 -g 65532 "$root/var/cache/ehi-gateway"

cd "$app"
cp -R dist node_modules package.json LICENSE "$root/opt/ehi-gateway/"
chmod -R u=rwX,go=rX "$root/opt/ehi-gateway" "$root/usr/local"
