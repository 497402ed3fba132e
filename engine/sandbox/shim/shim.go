// Package shim is the part of the sandbox that runs in a process that is to
// become a child: it sees from one variable of its environment what to become,
// puts the terms in place and executes the real program. Every program that
// imports this package can be started so, before its main begins.
//
// It imports little, and nothing that is readied late; see init.
package shim

import (
	"encoding/json"
	"errors"
	"fmt"
	"os"
	"strings"
	"syscall"
)

// variable holds Terms as JSON in the environment of the process that is to
// become the child. It holds no secrets and is gone before the child begins. A
// value that is no object is an operator's, for the flag --sandbox.
const variable = "CLOUDOPS_SANDBOX"

// Terms are those of one child.
type Terms struct {
	Program string            `json:"program"`
	Output  string            `json:"output,omitempty"`
	PidFile string            `json:"pid_file,omitempty"`
	Hold    []string          `json:"hold,omitempty"`
	Answers map[string]string `json:"answers,omitempty"`
	Walls   *Walls            `json:"walls,omitempty"` // none where it is nil
	Inner   *Inner            `json:"inner,omitempty"` // set within bubblewrap
}

// Variable returns the name and the value to put into the child's environment.
func (t Terms) Variable() (name, value string, err error) {
	b, err := json.Marshal(t)
	return variable, string(b), err
}

// init becomes the child where this process was started for that. It stands
// here and not in main because of the half of a start that this saves: a
// run has eight of them, and readying all of our program takes milliseconds.
// Packages are readied in the order of their paths as soon as those that they
// import are (https://go.dev/ref/spec#Program_initialization, and the notes of
// Go 1.21), so it comes early as long as this package imports none that is late,
// such as os/exec or path/filepath: TestChildIsStartedBeforeWeAreReady counts.
// When it fails the process ends with code 125 and says why.
func init() {
	raw, requested := os.LookupEnv(variable)
	if !requested || !strings.HasPrefix(raw, "{") {
		return
	}
	if err := become(raw, os.Args); err != nil {
		fmt.Fprintln(os.Stderr, "cloudops sandbox:", err)
	}
	os.Exit(125)
}

func become(raw string, args []string) error {
	var t Terms
	if err := json.Unmarshal([]byte(raw), &t); err != nil {
		return fmt.Errorf("terms: %w", err)
	}
	if t.Inner != nil {
		return t.within(args)
	}
	if answer, ok := t.Answers[strings.Join(args[1:], " ")]; ok {
		fmt.Print(answer)
		os.Exit(0)
	}
	if err := t.outlive(); err != nil {
		return err
	}
	if t.wrapped() {
		return t.wrap(args[1:])
	}
	if err := t.Walls.raise(); err != nil {
		return fmt.Errorf("walls: %w", err)
	}
	return syscall.Exec(t.Program, append([]string{t.Program}, args[1:]...), environment())
}

// wrapped reports whether the child runs within bubblewrap.
func (t Terms) wrapped() bool { return t.Walls != nil && t.Walls.Bubblewrap != "" }

// outlive cuts what would end the child together with who started it.
func (t Terms) outlive() error {
	if err := clearDeathSignal(); err != nil {
		return fmt.Errorf("death signal: %w", err)
	}
	for _, path := range t.Hold {
		if err := hold(path); err != nil {
			return fmt.Errorf("lock %s: %w", path, err)
		}
	}
	if t.Output != "" {
		if err := redirect(t.Output); err != nil {
			return err
		}
	}
	if t.PidFile == "" || t.wrapped() { // within which it is written
		return nil
	}
	return announce(t.PidFile)
}

// announce makes the file appear whole.
func announce(path string) error {
	tmp := path + ".new"
	if err := os.WriteFile(tmp, []byte(self()), 0o600); err != nil {
		return err
	}
	return os.Rename(tmp, path)
}

// hold takes the lock in a way that the child inherits.
func hold(path string) error {
	fd, err := syscall.Open(path, syscall.O_CREAT|syscall.O_RDONLY, 0o600) // without O_CLOEXEC
	if err != nil {
		return err
	}
	return syscall.Flock(fd, syscall.LOCK_SH)
}

func redirect(path string) error {
	f, err := os.OpenFile(path, os.O_CREATE|os.O_WRONLY|os.O_APPEND, 0o600)
	if err != nil {
		return err
	}
	return errors.Join(dup(f, 1), dup(f, 2), f.Close())
}

// environment is what the child gets: all but our own variable.
func environment() []string {
	var env []string
	for _, kv := range os.Environ() {
		if !strings.HasPrefix(kv, variable+"=") {
			env = append(env, kv)
		}
	}
	return env
}
