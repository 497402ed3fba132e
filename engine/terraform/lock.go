package terraform

import (
	"context"
	"errors"
	"os"

	"golang.org/x/sys/unix"
)

// tryLock takes the lock on a file, or returns nil where somebody has it. The
// lock ends with the process.
func tryLock(path string) (*os.File, error) {
	f, err := os.OpenFile(path, os.O_CREATE|os.O_RDWR, 0o600)
	if err != nil {
		return nil, err
	}
	err = unix.Flock(int(f.Fd()), unix.LOCK_EX|unix.LOCK_NB)
	if errors.Is(err, unix.EWOULDBLOCK) {
		return nil, f.Close()
	}
	return taken(f, path, err)
}

// lock takes the lock on a file once it is free, or gives up when ctx ends. It
// returns nil where who had it removed the folder.
func lock(ctx context.Context, path string) (*os.File, error) {
	f, err := os.OpenFile(path, os.O_CREATE|os.O_RDWR, 0o600)
	if err != nil {
		return nil, err
	}
	got := make(chan error, 1)
	go func() { got <- flock(f) }()
	select {
	case err := <-got:
		return taken(f, path, err)
	case <-ctx.Done():
		go func() { // the system's wait has no end but the lock
			<-got
			_ = f.Close()
		}()
		return nil, context.Cause(ctx)
	}
}

func flock(f *os.File) error {
	err := unix.Flock(int(f.Fd()), unix.LOCK_EX)
	for errors.Is(err, unix.EINTR) {
		err = unix.Flock(int(f.Fd()), unix.LOCK_EX)
	}
	return err
}

// taken is the end of taking a lock: a file that was removed by who had it before
// keeps nobody out.
func taken(f *os.File, path string, err error) (*os.File, error) {
	if err != nil {
		return nil, errors.Join(err, f.Close())
	}
	if !isAt(f, path) {
		return nil, f.Close()
	}
	return f, nil
}

func isAt(f *os.File, path string) bool {
	open, err := f.Stat()
	there, err2 := os.Stat(path)
	return err == nil && err2 == nil && os.SameFile(open, there)
}
