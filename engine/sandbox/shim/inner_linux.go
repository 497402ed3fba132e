package shim

import (
	"errors"
	"fmt"
	"os"
	"os/signal"
	"runtime"
	"strconv"
	"syscall"

	"golang.org/x/sys/unix"
)

// wrap becomes bubblewrap, whose child is this program once more: that has the
// Terms with Inner set. An interrupt is meant for the program within, and would
// end bubblewrap.
func (t Terms) wrap(args []string) error {
	self, err := os.Executable()
	if err != nil {
		return err
	}
	if t.Inner, err = t.announceLater(); err != nil {
		return err
	}
	name, value, err := t.Variable()
	if err != nil {
		return err
	}
	signal.Ignore(syscall.SIGINT)
	argv := append(append([]string{"bwrap"}, t.Walls.Wrapping(self, os.Geteuid() == 0)...), self)
	return syscall.Exec(t.Walls.Bubblewrap, append(argv, args...), append(environment(), name+"="+value))
}

// Inner is what the part of a child that is within bubblewrap knows of the part
// outside.
type Inner struct {
	Process string `json:"process,omitempty"` // the one outside, as it stands in a file
	PidFile int    `json:"pid_file,omitempty"`
}

// announceLater opens the PidFile, and leaves it empty: who reads it may interrupt
// the child, so it is written once there is somebody to interrupt.
func (t Terms) announceLater() (*Inner, error) {
	if t.PidFile == "" {
		return &Inner{}, nil
	}
	fd, err := unix.Open(t.PidFile, unix.O_CREAT|unix.O_TRUNC|unix.O_WRONLY, 0o600) // without O_CLOEXEC
	return &Inner{Process: self(), PidFile: fd}, err
}

// announce writes the PidFile.
func (i *Inner) announce() error {
	if i.PidFile == 0 {
		return nil
	}
	_, err := unix.Write(i.PidFile, []byte(i.Process))
	return errors.Join(err, unix.Close(i.PidFile))
}

// within runs the program as a child of the first process of bubblewrap's
// namespace, and ends as it does. It dies together with bubblewrap, and then all
// that is in the namespace does: for that it stays bubblewrap's user.
func (t Terms) within(args []string) error {
	runtime.LockOSThread()                                 // whose powers are those of what it starts
	signal.Notify(make(chan os.Signal, 1), syscall.SIGINT) // which is the program's
	if t.Inner.PidFile != 0 {
		unix.CloseOnExec(t.Inner.PidFile)
	}
	// The locks stay with bubblewrap, whose end is the program's, too: the program
	// could let go of them.
	if err := KeepOpenFiles(); err != nil {
		return fmt.Errorf("open files: %w", err)
	}
	if err := t.Walls.raise(); err != nil {
		return fmt.Errorf("walls: %w", err)
	}
	if err := unix.Prctl(unix.PR_SET_PDEATHSIG, uintptr(unix.SIGKILL), 0, 0, 0); err != nil {
		return err
	}
	attr := &syscall.ProcAttr{Env: environment(), Files: []uintptr{0, 1, 2}}
	if user := uint32(t.Walls.User); user != 0 { // #nosec G115 -- users are checked when the policy is read
		attr.Sys = &syscall.SysProcAttr{Credential: &syscall.Credential{Uid: user, Gid: user}}
	}
	pid, err := syscall.ForkExec(t.Program, append([]string{t.Program}, args[1:]...), attr)
	if err != nil {
		return &os.PathError{Op: "start", Path: t.Program, Err: err}
	}
	if err := errors.Join(dropPowers(), t.Inner.announce()); err != nil {
		return err // which ends the program, too
	}
	os.Exit(reap(pid))
	return nil
}

// reap waits for the process and for orphans, and gives the exit code of the
// process: as a shell has it where a signal ended that.
func reap(pid int) int {
	for {
		var status syscall.WaitStatus
		got, err := syscall.Wait4(-1, &status, 0, nil)
		switch {
		case errors.Is(err, syscall.EINTR) || err == nil && got != pid:
		case err != nil:
			fmt.Fprintln(os.Stderr, "cloudops sandbox: wait for", strconv.Itoa(pid)+":", err)
			return 125
		case status.Signaled():
			return 128 + int(status.Signal())
		default:
			return status.ExitStatus()
		}
	}
}
