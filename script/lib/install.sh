# Installing what is missing. A second time nothing is asked of the network: dpkg and stamps say what is there.
# shellcheck shell=bash

say() { printf '%s\n' "$*" >&2; }

die() { say "$*"; exit 1; }

as_root() {
  if [ "$(id -u)" = 0 ]; then "$@"; else sudo "$@"; fi
}

installed() { [ "$(dpkg-query -W -f='${db:Status-Status}' "$1" 2>/dev/null)" = installed ]; }

install_packages() {
  local missing=() package
  for package in "$@"; do installed "$package" || missing+=("$package"); done
  [ ${#missing[@]} -gt 0 ] || return 0
  say "Installing packages: ${missing[*]}"
  as_root env DEBIAN_FRONTEND=noninteractive apt-get update -qq >/dev/null
  as_root env DEBIAN_FRONTEND=noninteractive apt-get install -qq -y --no-install-recommends "${missing[@]}" </dev/null >/dev/null
  # Webvirt runs an nginx and a Redis of its own; those that came with the packages would only hold their ports open.
  [ -d /run/systemd/system ] || return 0
  for package in "${missing[@]}"; do
    case $package in nginx | redis-server) as_root systemctl disable --now "$package" >&2 ;; esac
  done
}

runtime_packages() {
  echo ca-certificates dbus dnsmasq-base gcc gettext iproute2 libsasl2-modules libvirt-clients
  echo libvirt-daemon-driver-qemu libvirt-daemon-system libvirt-dev openssh-client pkg-config python3-dev
  echo python3-venv qemu-utils redis-server
  command -v nginx >/dev/null || [ -x /usr/sbin/nginx ] || echo nginx
  command -v node >/dev/null || echo nodejs
  command -v npm >/dev/null || echo npm
  case $(dpkg --print-architecture) in
    amd64) echo qemu-system-x86 ovmf ;;
    arm64) echo qemu-system-arm qemu-efi-aarch64 ;;
    *) echo qemu-system ;;
  esac
}

test_packages() {
  echo chromium debian-installer-12-netboot-amd64 grub-pc-bin ipxe libvirt-daemon-driver-lxc mtools nftables
  echo openssh-server postgresql procps sasl2-bin shellcheck systemd xorriso
}

# done_once STAMP FILES... -- COMMAND...: runs the command unless it succeeded with these very files before.
done_once() {
  local stamp=$1 files=() sum
  shift
  while [ "$1" != -- ]; do files+=("$1"); shift; done
  shift
  sum=$(sha256sum "${files[@]}")
  [ "$(cat "$stamp" 2>/dev/null)" != "$sum" ] || return 0
  "$@" >&2
  printf '%s\n' "$sum" >"$stamp"
}

install_python() {
  [ -x .venv/bin/python ] || { say "Making .venv"; /usr/bin/python3 -m venv .venv >&2; }
  done_once ".venv/$1.sha256" requirements*.txt -- pip_install "$1"
}

pip_install() {
  say "Installing Python packages of $1"
  .venv/bin/pip install --disable-pip-version-check -q -r "$1" </dev/null
}

install_node() {
  done_once .venv/node.sha256 package-lock.json -- npm_install
}

npm_install() {
  say "Installing the pages' JavaScript and styles"
  npm ci --no-audit --no-fund --loglevel=error </dev/null
}
