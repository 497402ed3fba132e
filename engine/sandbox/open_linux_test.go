package sandbox

import (
	"os"
	"testing"

	"golang.org/x/sys/unix"
)

func TestWhatWasLeftOpenIsNotPassedOn(t *testing.T) {
	fd, err := unix.Open(os.DevNull, unix.O_RDONLY, 0) // as whoever started this process may have done
	must(t, err)
	defer unix.Close(fd)
	must(t, KeepOpenFiles())
	if flags, err := unix.FcntlInt(uintptr(fd), unix.F_GETFD, 0); err != nil || flags&unix.FD_CLOEXEC == 0 {
		t.Errorf("flags = %x, %v", flags, err)
	}
}
