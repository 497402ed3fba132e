package sandbox

import (
	"errors"
	"fmt"
	"os"
	"os/exec"
	"os/signal"
	"path/filepath"
	"strconv"
	"syscall"

	"golang.org/x/sys/unix"
)

// wrap becomes bubblewrap, whose child is this program once more: that has the
// Spec with Inner set. An interrupt is meant for the program within, and would
// end bubblewrap.
func (s Spec) wrap(args []string) error {
	self, err := os.Executable()
	if err != nil {
		return err
	}
	if s.Inner, err = s.announceLater(); err != nil {
		return err
	}
	name, value, err := s.Variable()
	if err != nil {
		return err
	}
	signal.Ignore(syscall.SIGINT)
	argv := append(append([]string{"bwrap"}, s.Walls.wrapping(self, os.Geteuid() == 0)...), self)
	return syscall.Exec(s.Walls.Bubblewrap, append(argv, args...), append(environment(), name+"="+value))
}

// Inner is what the part of a child that is within bubblewrap knows of the part
// outside.
type Inner struct {
	// Folder is a file descriptor of the PidFile's folder, in which the file lies
	// ready under another name; 0 where nobody asked for it.
	Folder int `json:"folder,omitempty"`
}

// announceLater lays the PidFile ready: who finds it may interrupt the child, so
// it appears once the child can be interrupted.
func (s Spec) announceLater() (*Inner, error) {
	if s.PidFile == "" {
		return &Inner{}, nil
	}
	if err := os.WriteFile(s.PidFile+unannounced, []byte(self().String()), 0o600); err != nil {
		return nil, err
	}
	fd, err := unix.Open(filepath.Dir(s.PidFile), unix.O_PATH|unix.O_DIRECTORY, 0) // without O_CLOEXEC
	return &Inner{Folder: fd}, err
}

const unannounced = ".ready"

// announce makes the PidFile appear and closes the way to its folder.
func (s Spec) announce() error {
	if s.Inner.Folder == 0 {
		return nil
	}
	name := filepath.Base(s.PidFile)
	err := unix.Renameat(s.Inner.Folder, name+unannounced, s.Inner.Folder, name)
	return errors.Join(err, unix.Close(s.Inner.Folder))
}

// within runs the program as a child of the first process of bubblewrap's
// namespace, and ends as it does. It dies together with bubblewrap, and then all
// that is in the namespace does.
func (s Spec) within(args []string) error {
	interrupts := make(chan os.Signal, 1)
	signal.Notify(interrupts, syscall.SIGINT)
	if err := s.announce(); err != nil {
		return fmt.Errorf("pid file: %w", err)
	}
	if err := s.Walls.raise(); err != nil {
		return fmt.Errorf("walls: %w", err)
	}
	if err := unix.Prctl(unix.PR_SET_PDEATHSIG, uintptr(unix.SIGKILL), 0, 0, 0); err != nil { // which another user's process loses
		return err
	}
	select {
	case <-interrupts: // before there was anybody else to take it
		os.Exit(128 + int(syscall.SIGINT))
	default:
	}
	cmd := exec.Command(s.Program, args[1:]...)
	cmd.Stdin, cmd.Stdout, cmd.Stderr, cmd.Env = os.Stdin, os.Stdout, os.Stderr, environment()
	if err := cmd.Start(); err != nil {
		return err
	}
	os.Exit(reap(cmd.Process.Pid))
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
