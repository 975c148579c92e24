# libvirt and its helpers, which belong to the host: started where no init system does it, and never stopped.
# shellcheck shell=bash

runs() {
  local pid
  pid=$(cat "$2" 2>/dev/null) && [ "$(cat "/proc/$pid/comm" 2>/dev/null)" = "$1" ]
}

# start_detached NAME PIDFILE COMMAND...: in a session of its own, so that Ctrl-C here does not reach it.
start_detached() {
  local name=$1 pidfile=$2
  shift 2
  runs "$name" "$pidfile" && return 0
  say "Starting $name"
  as_root rm -f "$pidfile"
  as_root setsid -w "$@" </dev/null >/dev/null 2>&1 || die "$name does not start: run '$*' to see why."
}

start_host_daemons() {
  [ ! -d /run/systemd/system ] || return 0
  as_root mkdir -p /run/dbus
  start_detached dbus-daemon /run/dbus/pid dbus-daemon --system --fork
  start_detached virtlogd /run/virtlogd.pid /usr/sbin/virtlogd -d
  start_detached virtlockd /run/virtlockd.pid /usr/sbin/virtlockd -d
  start_libvirtd
}

# libvirtd is started again when it ends unasked, as an init system would: 9.0 crashes now and then when connections
# break. One keeper a machine, which gives up on a libvirtd that ends as soon as it is started.
start_libvirtd() {
  runs libvirtd /run/libvirtd.pid && return 0
  give_kvm_its_group
  say "Starting libvirtd"
  # shellcheck disable=SC2016 # the keeper's own variables
  as_root setsid -f flock -n -o /run/libvirtd.keeper bash -c '
    cd / && exec >>/var/log/libvirt/libvirtd.log 2>&1
    while began=$SECONDS; ! /usr/sbin/libvirtd && [ $((SECONDS - began)) -ge 2 ]; do sleep 1; done
  ' </dev/null >/dev/null 2>&1
  local deadline=$((SECONDS + 30))
  until as_root virsh -q -c qemu:///system uri >/dev/null 2>&1; do
    [ $SECONDS -lt $deadline ] || die "libvirtd does not start: run '/usr/sbin/libvirtd' to see why."
    sleep 0.1
  done
}

# udev's own default, where no udev ran. libvirtd looks at this once, when it starts: without it QEMU's user
# cannot open KVM, and every definition of a guest takes half a minute.
give_kvm_its_group() {
  [ -c /dev/kvm ] && [ ! -e /run/udev/control ] || return 0
  as_root chgrp kvm /dev/kvm
  as_root chmod 660 /dev/kvm
}

# Who is not root speaks to libvirtd as a member of the group libvirt; a new membership counts from here on.
join_libvirt_group() {
  [ "$(id -u)" != 0 ] || return 0
  case " $(id -nG) " in *" libvirt "*) return 0 ;; esac
  as_root usermod -aG libvirt "$(id -un)"
  exec sudo -E -u "$(id -un)" script/server
}
