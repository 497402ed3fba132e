package sandbox

import (
	"os"
	"path/filepath"
	"slices"
	"strings"
)

// removed is how many bytes the files take that were removed from the folders and
// that a process still has open. Source: proc_pid_fd(5).
func removed(dirs []string) (bytes int64) {
	var seen []os.FileInfo
	open, _ := filepath.Glob("/proc/[0-9]*/fd/*") // its only error is about the pattern
	for _, fd := range open {
		target, err := os.Readlink(fd)
		path, gone := strings.CutSuffix(target, " (deleted)")
		if err != nil || !gone || !within(dirs, path) && !within(dirs, behindTmp(fd, path, dirs)) {
			continue
		}
		info, err := os.Stat(fd)
		if err != nil || slices.ContainsFunc(seen, func(i os.FileInfo) bool { return os.SameFile(i, info) }) {
			continue
		}
		seen, bytes = append(seen, info), bytes+blocks(info)
	}
	return bytes
}

// behindTmp is the folder that is /tmp for the process of the file, where the file
// was in that; "" for none of the folders.
func behindTmp(fd, path string, dirs []string) string {
	if !within([]string{"/tmp"}, path) {
		return ""
	}
	tmp, err := os.Stat(filepath.Join(filepath.Dir(filepath.Dir(fd)), "root/tmp"))
	for _, dir := range dirs {
		if info, derr := os.Stat(dir); err == nil && derr == nil && os.SameFile(tmp, info) {
			return dir
		}
	}
	return ""
}
