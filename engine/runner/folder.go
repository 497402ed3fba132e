package runner

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"syscall"
)

// Order is what a worker leaves for the runner that it starts: a file that only
// its owner can read, in the folder of the attempt. The folder has all that
// another runner needs to go on, and is removed once the end is handed in.
type Order struct {
	API        string            `json:"api"` // base URL of the server
	Token      string            `json:"token"`
	StateToken string            `json:"state_token"`
	Settings   map[string]string `json:"settings"` // flags of the worker that matter to the runner
}

// The files of a runner's folder besides its log and its ending.
const (
	orderFile  = "order.json"
	runnerLog  = "runner.log" // what the runner itself has to say
	runnerLock = "runner.lock"
)

// WriteOrder makes the folder with the order in it, and the files without which a
// runner cannot start: with less than that on the disk there is nobody to report.
func WriteOrder(dir string, o Order) error {
	if err := os.MkdirAll(dir, 0o700); err != nil {
		return err
	}
	for _, name := range []string{runnerLog, runnerLock} {
		f, err := os.OpenFile(filepath.Join(dir, name), os.O_CREATE|os.O_WRONLY, 0o600)
		if err != nil {
			return err
		}
		if err := f.Close(); err != nil {
			return err
		}
	}
	b, err := json.Marshal(o)
	if err != nil {
		return err
	}
	return writeWhole(filepath.Join(dir, orderFile), b)
}

// ReadOrder reads the order in dir.
func ReadOrder(dir string) (Order, error) {
	var o Order
	b, err := os.ReadFile(filepath.Join(dir, orderFile))
	if err != nil {
		return o, err
	}
	return o, json.Unmarshal(b, &o)
}

// ErrTaken is why a folder cannot be held: a runner works there.
var ErrTaken = errors.New("a runner works in this folder")

// Hold keeps other runners out of dir for as long as this process lives.
func Hold(dir string) error {
	fd, err := openLock(dir)
	if err != nil {
		return err
	}
	err = syscall.Flock(fd, syscall.LOCK_EX|syscall.LOCK_NB)
	if errors.Is(err, syscall.EWOULDBLOCK) {
		return errors.Join(ErrTaken, syscall.Close(fd))
	}
	return err
}

func openLock(dir string) (fd int, err error) {
	fd, err = syscall.Open(filepath.Join(dir, runnerLock), syscall.O_CREAT|syscall.O_RDWR|syscall.O_CLOEXEC, 0o600)
	if err != nil {
		return -1, fmt.Errorf("%s: %w", dir, err)
	}
	return fd, nil
}

// awaitFree waits until no runner works in dir, or until ctx ends.
func awaitFree(ctx context.Context, dir string) error {
	fd, err := openLock(dir)
	if err != nil {
		return err
	}
	free := make(chan error, 1)
	go func() { // which outlives ctx by no more than this process does
		err := syscall.Flock(fd, syscall.LOCK_EX)
		for errors.Is(err, syscall.EINTR) {
			err = syscall.Flock(fd, syscall.LOCK_EX)
		}
		free <- errors.Join(err, syscall.Close(fd))
	}()
	select {
	case err := <-free:
		return err
	case <-ctx.Done():
		return nil
	}
}
