package sandbox

import "golang.org/x/sys/unix"

// Conceal keeps the environment and the memory of this process from all other
// programs but root's, those of the same user included. What it starts can be
// read like any other.
func Conceal() error { return unix.Prctl(unix.PR_SET_DUMPABLE, 0, 0, 0, 0) }
