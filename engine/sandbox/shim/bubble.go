package shim

import (
	"cmp"
	"os"
	"path"
	"slices"
	"strings"
)

// Wrapping is the command line of bubblewrap for the walls: namespaces for
// processes, mounts and shared memory, in which only the paths of the walls are
// there. The child of it is the first process of its namespace, so that all
// others end with it. Source: bwrap(1), version 0.7 or newer.
func (w *Walls) Wrapping(self string, root bool) []string {
	args := []string{"--unshare-pid", "--unshare-ipc", "--as-pid-1", "--proc", "/proc", "--dev", "/dev",
		"--size", sharedMemory, "--perms", "1777", "--tmpfs", "/dev/shm"}
	if root { // to become another user, and to end what runs as one; everything else goes
		args = append(args, "--cap-drop", "ALL", "--cap-add", "CAP_SETPCAP", "--cap-add", "CAP_SETUID", "--cap-add", "CAP_SETGID", "--cap-add", "CAP_DAC_READ_SEARCH", "--cap-add", "CAP_KILL")
	}
	for _, m := range w.mounts(self) {
		if m.from == "" {
			args = append(args, "--perms", "0755", "--dir", m.to)
			continue
		}
		args = append(args, m.how, m.from, m.to)
	}
	return append(args, "--")
}

// sharedMemory is how many bytes a step has in /dev/shm, which is memory that no
// limit of a process counts. Ansible keeps semaphores there.
const sharedMemory = "67108864"

// mount is one path that a child sees; without from it is a folder on the way
// to others.
type mount struct{ how, from, to string }

// mounts lists the paths, those that others lie in first. Each costs a tenth of a
// millisecond, so there are few: of /etc and /sys Landlock, where there is one,
// lets through no more than what is to be read.
func (w *Walls) mounts(self string) []mount {
	read := append(slices.Clone(w.Read), self)
	if LandlockVersion() >= LandlockPart {
		read = append(read, "/etc", "/sys")
	}
	var all []mount
	for _, path := range outermost(existing(read)) {
		all = append(all, readOnly(path))
	}
	for _, path := range existing(w.Write) {
		all = append(all, mount{"--bind", path, path})
	}
	if w.Tmp != "" && !slices.Contains(w.Write, "/tmp") {
		all = append(all, mount{"--bind", w.Tmp, "/tmp"})
	}
	if w.Account != "" {
		all = append(all, mount{"--ro-bind", w.Account, "/etc/passwd"})
	}
	all = slices.DeleteFunc(all, func(m mount) bool { return m.to == "/proc" || strings.HasPrefix(m.to, "/dev/") })
	slices.SortStableFunc(all, func(a, b mount) int { return cmp.Compare(len(a.to), len(b.to)) })
	return withParents(all)
}

// readOnly shows a path as it is: links, such as /bin, as links.
func readOnly(name string) mount {
	if target, err := os.Readlink(name); err == nil && path.Dir(name) == "/" {
		return mount{"--symlink", target, name}
	}
	return mount{"--ro-bind", name, name}
}

// outermost drops the paths that lie within others.
func outermost(paths []string) []string {
	paths = slices.Compact(slices.Sorted(slices.Values(paths)))
	return slices.DeleteFunc(slices.Clone(paths), func(path string) bool {
		return slices.ContainsFunc(paths, func(dir string) bool { return strings.HasPrefix(path, dir+"/") })
	})
}

// withParents puts the folders before each path that nothing before has made.
func withParents(all []mount) (more []mount) {
	made := map[string]bool{"/": true}
	for _, m := range all {
		var parents []mount
		for dir := path.Dir(m.to); !made[dir]; dir = path.Dir(dir) {
			made[dir] = true
			parents = append(parents, mount{to: dir})
		}
		slices.Reverse(parents)
		made[m.to] = true
		more = append(append(more, parents...), m)
	}
	return more
}

func existing(paths []string) []string {
	return slices.DeleteFunc(slices.Clone(paths), func(path string) bool { _, err := os.Stat(path); return err != nil })
}
