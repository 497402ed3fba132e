package ansible

import (
	"context"
	"log/slog"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"syscall"
	"time"
)

// The folders of plays lie in playsDir; one that is being made has newPrefix.
const (
	playsDir  = "plays"
	newPrefix = ".new-"
	lockFile  = "lock"
)

// newPlayDir makes a folder and locks it. The lock tells a play that runs from
// one whose runner was killed: Ansible inherits it.
func newPlayDir(workDir string) (dir string, lock *os.File, err error) {
	plays := filepath.Join(workDir, playsDir)
	if err := os.MkdirAll(plays, 0o700); err != nil {
		return "", nil, err
	}
	fresh, err := os.MkdirTemp(plays, newPrefix)
	if err != nil {
		return "", nil, err
	}
	if lock, err = lockDir(fresh); err != nil {
		return "", nil, err
	}
	dir = filepath.Join(plays, strings.TrimPrefix(filepath.Base(fresh), newPrefix))
	return dir, lock, os.Rename(fresh, dir)
}

// lockDir locks the folder, or fails at once where it is locked.
func lockDir(dir string) (*os.File, error) {
	lock, err := os.OpenFile(filepath.Join(dir, lockFile), os.O_CREATE|os.O_RDWR, 0o600)
	if err != nil {
		return nil, err
	}
	if err := syscall.Flock(int(lock.Fd()), syscall.LOCK_EX|syscall.LOCK_NB); err != nil {
		lock.Close()
		return nil, err
	}
	return lock, nil
}

// clearStale deletes the folders of plays whose runner was killed: they hold
// secrets.
func clearStale(workDir string, log *slog.Logger) {
	plays := filepath.Join(workDir, playsDir)
	entries, _ := os.ReadDir(plays) // there are none yet
	for _, e := range entries {
		dir := filepath.Join(plays, e.Name())
		if strings.HasPrefix(e.Name(), newPrefix) && !old(e) {
			continue
		}
		lock, err := lockDir(dir)
		if err != nil {
			continue // it runs
		}
		if err := os.RemoveAll(dir); err != nil {
			log.Warn("folder of an old play not removed", "dir", dir, "err", err)
		}
		lock.Close()
	}
}

func old(e os.DirEntry) bool {
	info, err := e.Info()
	return err == nil && time.Since(info.ModTime()) > time.Hour
}

// closeConnections ends the SSH connections that Ansible keeps open for the
// next task: they would outlive the play by a minute.
func (p *play) closeConnections() {
	if p.sockets == "" {
		return
	}
	ctx, stop := context.WithTimeout(context.Background(), 5*time.Second)
	defer stop()
	sockets, _ := filepath.Glob(filepath.Join(p.sockets, "*"))
	for _, s := range sockets {
		// One that is gone already has nothing to close.
		cmd := exec.CommandContext(ctx, "ssh", "-O", "exit", "-o", "ControlPath="+s, "host")
		cmd.Env = p.env
		cmd.Run()
	}
	os.RemoveAll(p.sockets)
}
