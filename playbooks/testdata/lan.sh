#!/bin/bash
# lan.sh FOLDER NAME... makes a network of disposable hosts. It has to be the
# first process of namespaces of its own for network, mounts and processes, so
# that nothing of it is left when it ends, which it does with its input. The
# hosts are 198.18.0.11 and up. It prints "ready" once all let users in by SSH.
set -euo pipefail
here=$(dirname "$0") dir=$1
shift

mount --make-rprivate /
mount -t proc proc /proc
mount -t tmpfs -o mode=755 run /run
ip link set lo up
ip link add lan type bridge
ip address add 198.18.0.1/24 dev lan
ip link set lan up

number=11
for name; do
  ip netns add "$name"
  ip link add "$name" type veth peer name eth0 netns "$name"
  ip link set "$name" master lan up
  ip -n "$name" link set lo up
  ip -n "$name" address add "198.18.0.$number/24" dev eth0
  ip -n "$name" link set eth0 up
  exec {said}< <(exec ip netns exec "$name" unshare --mount --pid --uts --ipc --fork bash "$here/host.sh" "$dir" "$name")
  read -r word <&"$said" || true
  if [ "${word-}" != up ]; then
    echo "$name did not come up" >&2
    exit 1
  fi
  number=$((number + 1))
done
echo ready
cat >/dev/null
