package shim

import (
	"errors"
	"fmt"
	"os"
	"runtime"
	"slices"
	"strings"
	"syscall"

	"github.com/landlock-lsm/go-landlock/landlock"
	"golang.org/x/sys/unix"
)

// raise shuts this process, and all that it will start, in. It cannot be undone.
func (w *Walls) raise() error {
	if w == nil {
		return nil
	}
	if err := w.restrict(); err != nil {
		return err
	}
	if err := w.Limits.set(); err != nil {
		return err
	}
	if err := filterCalls(); err != nil && (!w.BestEffort || JudgesCalls()) {
		return fmt.Errorf("system calls: %w", err)
	}
	if w.User != 0 { // to become it takes powers, which end with that
		return boundPowers()
	}
	return dropPowers()
}

// restrict lets Landlock hold files, TCP, signals and abstract sockets.
func (w *Walls) restrict() error {
	config := landlock.V7 // with all of landlockScope; what comes later takes what people use, such as UDP for names
	if w.BestEffort {
		config = config.BestEffort()
	}
	var rules []landlock.Rule
	for _, path := range existing(w.Read) {
		rules = append(rules, readRule(path))
	}
	for _, path := range existing(w.written()) {
		rules = append(rules, writeRule(path))
	}
	for _, port := range w.Connect {
		rules = append(rules, landlock.ConnectTCP(uint16(port))) // #nosec G115 -- ports are checked when they are read
	}
	return config.Restrict(rules...)
}

// written lists what a child may write to.
func (w *Walls) written() []string {
	paths := append(slices.Clone(w.Write), "/dev/null", "/dev/zero", "/dev/full", "/dev/random", "/dev/urandom", "/dev/tty")
	if w.Bubblewrap != "" { // which makes these for the child alone
		paths = append(paths, "/tmp", "/dev/shm", "/dev/pts", "/dev/ptmx")
	}
	return paths
}

func readRule(path string) landlock.Rule {
	if isDir(path) {
		return landlock.RODirs(path)
	}
	return landlock.ROFiles(path)
}

func writeRule(path string) landlock.Rule {
	switch {
	case strings.HasPrefix(path, "/dev/") && isDir(path):
		return landlock.RWDirs(path).WithIoctlDev()
	case strings.HasPrefix(path, "/dev/"):
		return landlock.RWFiles(path).WithIoctlDev()
	case isDir(path):
		return landlock.RWDirs(path).WithRefer()
	}
	return landlock.RWFiles(path)
}

func isDir(path string) bool { info, err := os.Stat(path); return err == nil && info.IsDir() }

// set puts the limits in force. A child that dies leaves no core, which would
// have its secrets.
func (l Limits) set() error {
	errs := []error{unix.Setrlimit(unix.RLIMIT_CORE, &unix.Rlimit{})}
	for what, limit := range map[int]int64{
		unix.RLIMIT_DATA: l.Memory, unix.RLIMIT_FSIZE: l.FileSize, unix.RLIMIT_NOFILE: l.Files, unix.RLIMIT_NPROC: l.Processes,
	} {
		if limit > 0 {
			errs = append(errs, lower(what, uint64(limit)))
		}
	}
	return errors.Join(errs...)
}

// lower sets a limit, unless there is a stricter one.
func lower(what int, limit uint64) error {
	var is syscall.Rlimit
	if err := syscall.Getrlimit(what, &is); err != nil {
		return err
	}
	limit = min(limit, is.Max)
	return syscall.Setrlimit(what, &syscall.Rlimit{Cur: limit, Max: limit}) // not unix's: Go restores the number of open files otherwise
}

// dropPowers gives up what root can do, also where the user stays root, and what
// this thread executes gets none of it back. The caller stays in its thread.
func dropPowers() error {
	none := [2]unix.CapUserData{}
	return errors.Join(boundPowers(), unix.Capset(&unix.CapUserHeader{Version: unix.LINUX_CAPABILITY_VERSION_3}, &none[0]))
}

// boundPowers has programs that this thread executes get no more than it has, by
// what they inherit neither.
func boundPowers() error {
	for capability := range uintptr(unix.CAP_LAST_CAP + 1) {
		err := unix.Prctl(unix.PR_CAPBSET_DROP, capability, 0, 0, 0)
		if err != nil && !errors.Is(err, unix.EPERM) && !errors.Is(err, unix.EINVAL) { // not root, or a kernel that has fewer
			return err
		}
	}
	if err := unix.Prctl(unix.PR_CAP_AMBIENT, unix.PR_CAP_AMBIENT_CLEAR_ALL, 0, 0, 0); err != nil {
		return err
	}
	header := unix.CapUserHeader{Version: unix.LINUX_CAPABILITY_VERSION_3}
	var has [2]unix.CapUserData
	if err := unix.Capget(&header, &has[0]); err != nil {
		return err
	}
	has[0].Inheritable, has[1].Inheritable = 0, 0
	return unix.Capset(&header, &has[0])
}

// filterCalls refuses the system calls that lead around the walls: sockets and
// ways to connect that Landlock does not know, io_uring, which makes any socket,
// the kernel's keyrings, which steps of one user share, limits of other
// processes, namespaces, and the calls of other machines than this one, such as
// 32-bit ones, which have other numbers.
func filterCalls() error {
	program, err := callFilter(runtime.GOARCH)
	if err != nil {
		return err
	}
	if err := unix.Prctl(unix.PR_SET_NO_NEW_PRIVS, 1, 0, 0, 0); err != nil {
		return err
	}
	return loadFilter(program)
}

// JudgesCalls reports whether system calls can be judged here.
func JudgesCalls() bool {
	_, known := abis[runtime.GOARCH]
	return known && unix.Prctl(unix.PR_GET_SECCOMP, 0, 0, 0, 0) == nil
}
