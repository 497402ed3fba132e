package main

import (
	"bytes"
	"fmt"
	"os"
	"strings"
	"testing"

	"golang.org/x/sys/unix"

	"github.com/cloudops-manager/cloudops/api/client"
)

// screen is a terminal of which a test sees what is shown.
type screen struct {
	t     *testing.T
	tty   *os.File // what programs write to
	shown *os.File
	text  bytes.Buffer
}

func newScreen(t *testing.T) *screen {
	t.Helper()
	shown, err := os.OpenFile("/dev/ptmx", os.O_RDWR, 0)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { shown.Close() })
	if err := unix.IoctlSetPointerInt(int(shown.Fd()), unix.TIOCSPTLCK, 0); err != nil {
		t.Fatal(err)
	}
	number, err := unix.IoctlGetInt(int(shown.Fd()), unix.TIOCGPTN)
	if err != nil {
		t.Fatal(err)
	}
	tty, err := os.OpenFile(fmt.Sprintf("/dev/pts/%d", number), os.O_RDWR|unix.O_NOCTTY, 0)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { tty.Close() })
	return &screen{t: t, tty: tty, shown: shown}
}

// until reads what is shown until it has the text, and gives all of it.
func (s *screen) until(text string) string {
	s.t.Helper()
	for part := make([]byte, 4096); !strings.Contains(s.text.String(), text); {
		n, err := s.shown.Read(part)
		if err != nil {
			s.t.Fatalf("%q was not shown, but %q: %v", text, s.text.String(), err)
		}
		s.text.Write(part[:n])
	}
	return s.text.String()
}

func TestProgressOnATerminalHasColoursAndASpinner(t *testing.T) {
	t.Setenv("NO_COLOR", "")
	s := newScreen(t)
	p := newProgress(s.tty)
	p.update(underWay("applying"))
	s.until("\x1b[36mapplying\x1b[0m")
	s.until("\x1b[K⠋ run is applying")
	s.until("\x1b[K⠙ run is applying") // it turns
	p.update(underWay("succeeded"))
	shown := s.until("run \x1b[32mhas succeeded\x1b[0m\r\n")
	_, last, _ := strings.Cut(shown, "⠙ run is applying")
	if !strings.Contains(last, "\r\x1b[K  terraform.web") {
		t.Errorf("the spinner stays before the line: %q", last)
	}
	p.stop()
}

func TestNoColorKeepsTheSpinner(t *testing.T) {
	t.Setenv("NO_COLOR", "1")
	s := newScreen(t)
	p := newProgress(s.tty)
	p.update(underWay("applying"))
	if shown := s.until("⠋ run is applying"); strings.Contains(shown, "\x1b[36m") || strings.Contains(shown, "\x1b[0m") {
		t.Errorf("it is coloured: %q", shown)
	}
	p.stop()
}

func TestColumnsLineUpOnATerminal(t *testing.T) {
	t.Setenv("NO_COLOR", "")
	s := newScreen(t)
	runs := []client.Run{{ID: "run-1", Status: "discarded", StartedBy: "ada"}, {ID: "run-2", Status: "failed", StartedBy: "bob"}}
	if err := runTable(s.tty, runs)(s.tty); err != nil {
		t.Fatal(err)
	}
	colours := strings.NewReplacer("\x1b[01m", "", "\x1b[02m", "", "\x1b[31m", "", "\x1b[0m", "")
	plain := colours.Replace(s.until("bob"))
	lines := strings.Split(plain, "\r\n")
	by := strings.Index(lines[0], "BY")
	if strings.Index(lines[1], "ada") != by || strings.Index(lines[2], "bob") != by {
		t.Errorf("columns do not line up:\n%s", plain)
	}
}
