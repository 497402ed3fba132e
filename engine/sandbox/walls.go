package sandbox

import (
	"slices"
	"strconv"
	"strings"

	"github.com/cloudops-manager/cloudops/engine/sandbox/shim"
)

// Walls are what one child is shut in by. Paths that are missing are passed over.
type Walls struct {
	Mode    Mode
	Read    []string // files and folders, with all in them
	Write   []string // folders, and devices
	Connect []int    // TCP ports, at any address
	Limits  Limits
	// User is the identifier, of user and group, that the child gets; 0 leaves it
	// ours, which only root can change.
	User int
	// Bubblewrap is the path of bwrap, which starts the child in namespaces of its
	// own; empty where there is none. Tmp is then the child's /tmp, unless it may
	// write to that of all, and Account its /etc/passwd.
	Bubblewrap string
	Tmp        string
	Account    string
}

// Limits are how much a child may use. What is 0 is not limited.
type Limits struct {
	Memory    int64 `json:"memory,omitempty"`    // bytes of data in one process
	FileSize  int64 `json:"file_size,omitempty"` // bytes in one file
	Files     int64 `json:"files,omitempty"`     // that one process has open
	Processes int64 `json:"processes,omitempty"` // and threads, of the child's user
	Disk      int64 `json:"disk,omitempty"`      // bytes in the folders of the step; see Watch
}

// terms are the walls as they are raised; nil for none.
func (w Walls) terms() *shim.Walls {
	if !w.up() {
		return nil
	}
	l := w.Limits
	return &shim.Walls{
		BestEffort: w.Mode == Auto, Read: w.Read, Write: w.Write, Connect: w.Connect,
		Limits: shim.Limits{Memory: l.Memory, FileSize: l.FileSize, Files: l.Files, Processes: l.Processes},
		User:   w.User, Bubblewrap: w.Bubblewrap, Tmp: w.Tmp, Account: w.Account,
	}
}

// up reports whether there are walls to raise.
func (w Walls) up() bool { return w.Mode == Auto || w.Mode == Require }

// String says what the walls hold, as in "files, TCP to 443 and 8080, ...".
func (w Walls) String() string {
	if !w.up() {
		return "none"
	}
	return strings.Join(w.holds(shim.LandlockVersion(), w.ports()), ", ")
}

// holds lists what the walls hold on a kernel with that version of Landlock.
func (w Walls) holds(version int, ports string) []string {
	var all []string
	switch {
	case version >= landlockWhole:
		all = append(all, "files")
	case version >= landlockPart:
		all = append(all, "files but for cutting them short")
	}
	if version >= landlockNet {
		all = append(all, "TCP to "+ports)
	}
	if version >= landlockScope {
		all = append(all, "signals and abstract sockets")
	}
	if shim.JudgesCalls() {
		all = append(all, "system calls")
	}
	if w.Limits != (Limits{}) {
		all = append(all, "limits")
	}
	if w.User != 0 {
		all = append(all, "a user of its own")
	}
	if w.Bubblewrap != "" {
		all = append(all, "namespaces of its own")
	}
	return all
}

// ports lists the TCP ports that may be connected to, in words.
func (w Walls) ports() string {
	if len(w.Connect) == 0 {
		return "nowhere"
	}
	sorted := slices.Compact(slices.Sorted(slices.Values(w.Connect)))
	words := make([]string, len(sorted))
	for i, port := range sorted {
		words[i] = strconv.Itoa(port)
	}
	return strings.Join(words, " ")
}
