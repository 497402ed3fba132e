package ansible

import (
	"bytes"
	"os"
	"path/filepath"
	"slices"
	"strconv"
)

// marked lists the processes whose environment has the entry.
func marked(entry string) []int {
	var pids []int
	files, _ := filepath.Glob("/proc/[0-9]*/environ") // the pattern is sound
	for _, f := range files {
		env, err := os.ReadFile(f)
		if err != nil || !slices.ContainsFunc(bytes.Split(env, []byte{0}), func(e []byte) bool { return string(e) == entry }) {
			continue // it has ended, or is another user's
		}
		if pid, err := strconv.Atoi(filepath.Base(filepath.Dir(f))); err == nil {
			pids = append(pids, pid)
		}
	}
	return pids
}
