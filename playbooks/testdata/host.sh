#!/bin/bash
# host.sh FOLDER NAME is the first process of a disposable host: a copy of this
# machine's files in memory, with packages from FOLDER/image/debs to install and
# an SSH server that lets the user ops in with FOLDER/client.pub. It prints "up"
# when users can log in. It may not set the clock, the kernel or its audit.
set -euo pipefail
dir=$1 name=$2

mount --make-rprivate /
mount -t tmpfs -o mode=755 host "$dir/mnt"
mkdir "$dir"/mnt/{upper,work,root}
root=$dir/mnt/root
mount -t overlay -o "lowerdir=/,upperdir=$dir/mnt/upper,workdir=$dir/mnt/work" overlay "$root"

rm -f "$root"/etc/ssh/ssh_host_*
cp "$dir/$name" "$root/etc/ssh/ssh_host_ed25519_key"
cp "$dir/client.pub" "$root/etc/client.pub"
cp "$(dirname "$0")/setup.sh" "$root/setup.sh"
mkdir "$root/debs"
mount --bind -o ro "$dir/image/debs" "$root/debs"
mount --rbind /dev "$root/dev"
mount -t tmpfs -o mode=1777 shm "$root/dev/shm"
mount -t proc proc "$root/proc"
mount --bind "$root/proc/sys" "$root/proc/sys"
mount -o remount,bind,ro "$root/proc/sys"
mount -t sysfs -o ro sysfs "$root/sys"
if [ "$(stat --file-system --format %T /sys/fs/cgroup)" = cgroup2fs ]; then # older groups Docker mounts itself
  mount --bind -o ro /sys/fs/cgroup "$root/sys/fs/cgroup"
  echo 'cgroup2 /sys/fs/cgroup cgroup2 ro 0 0' >>"$root/etc/fstab"
fi
mount -t tmpfs -o mode=755 run "$root/run"
mount -t tmpfs -o mode=1777 tmp "$root/tmp"
for homes in root home; do # nobody's files are the host's
  mount -t tmpfs -o mode=755 "$homes" "$root/$homes"
done

hostname "$name"
cd "$root"
mkdir -p old
pivot_root . old
exec chroot . setpriv --bounding-set -sys_time,-sys_boot,-sys_module,-sys_rawio,-audit_control \
  bash /setup.sh "$name" </dev/null
