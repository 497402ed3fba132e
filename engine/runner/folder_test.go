package runner

import (
	"context"
	"errors"
	"syscall"
	"testing"
)

func TestFolderIsHeldByOneRunner(t *testing.T) {
	dir := t.TempDir()
	if err := Hold(dir); err != nil {
		t.Fatal(err)
	}
	if err := Hold(dir); !errors.Is(err, ErrTaken) {
		t.Errorf("error = %v", err)
	}
}

func TestFolderIsAwaitedUntilItsRunnerEnds(t *testing.T) {
	dir := t.TempDir()
	fd, err := openLock(dir)
	if err != nil {
		t.Fatal(err)
	}
	if err := syscall.Flock(fd, syscall.LOCK_EX); err != nil {
		t.Fatal(err)
	}
	ctx, stop := context.WithCancel(t.Context())
	stop()
	if err := awaitFree(ctx, dir); err != nil {
		t.Errorf("error = %v", err)
	}
	free := make(chan error)
	go func() { free <- awaitFree(t.Context(), dir) }()
	select {
	case <-free:
		t.Error("the folder is free while a runner holds it")
	default:
	}
	syscall.Close(fd)
	if err := <-free; err != nil {
		t.Errorf("error = %v", err)
	}
}
