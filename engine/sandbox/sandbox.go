// Package sandbox starts a child on our terms where a library insists on
// starting it itself. The library is given our own binary as the program; that
// sees from one variable of its environment what to become, puts the terms in
// place and executes the real program. Every program that imports this package
// can be started so, before its main begins.
package sandbox

import (
	"encoding/json"
	"errors"
	"fmt"
	"os"
	"strings"
	"syscall"
)

// variable holds a Spec as JSON in the environment of the process that is to
// become the child. It holds no secrets and is gone before the child begins. A
// value that is no object is an operator's, for the flag --sandbox.
const variable = "CLOUDOPS_SANDBOX"

// Spec is the terms of one child.
type Spec struct {
	Program string `json:"program"` // absolute path of what to become
	// Output is a file that standard output and errors are appended to. A
	// file does not break, as a pipe does, when who reads it dies. Empty
	// leaves both as they are.
	Output string `json:"output,omitempty"`
	// PidFile names the child before it begins; see ReadProcess.
	PidFile string `json:"pid_file,omitempty"`
	// Hold names lock files that the child, and all it starts, hold for as long
	// as one of them lives: shared, so that others can see they are in use.
	Hold []string `json:"hold,omitempty"`
	// Answers are texts to print instead of becoming the program, by its
	// arguments joined with blanks.
	Answers map[string]string `json:"answers,omitempty"`
	Walls   Walls             `json:"walls"`
	Inner   *Inner            `json:"inner,omitempty"` // set within bubblewrap
}

// Variable returns the name and the value to put into the child's environment.
func (s Spec) Variable() (name, value string, err error) {
	b, err := json.Marshal(s)
	return variable, string(b), err
}

// init becomes the child where this process was started for that. It stands
// here and not in main because packages are readied in the order of their
// paths, those that many others need first: this early, a start costs a third
// of the CPU time that readying the whole program takes, and a run has five of
// them. When it fails the process ends with code 125 and says why.
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
	var s Spec
	if err := json.Unmarshal([]byte(raw), &s); err != nil {
		return fmt.Errorf("terms: %w", err)
	}
	if s.Inner != nil {
		return s.within(args)
	}
	if answer, ok := s.Answers[strings.Join(args[1:], " ")]; ok {
		fmt.Print(answer)
		os.Exit(0)
	}
	if err := s.outlive(); err != nil {
		return err
	}
	if s.Walls.Bubblewrap != "" {
		return s.wrap(args[1:])
	}
	if err := s.Walls.raise(); err != nil {
		return fmt.Errorf("walls: %w", err)
	}
	return syscall.Exec(s.Program, append([]string{s.Program}, args[1:]...), environment())
}

// outlive cuts what would end the child together with who started it.
func (s Spec) outlive() error {
	if err := clearDeathSignal(); err != nil {
		return fmt.Errorf("death signal: %w", err)
	}
	for _, path := range s.Hold {
		if err := hold(path); err != nil {
			return fmt.Errorf("lock %s: %w", path, err)
		}
	}
	if s.Output != "" {
		if err := redirect(s.Output); err != nil {
			return err
		}
	}
	if s.PidFile == "" || s.Walls.Bubblewrap != "" { // within which it is written
		return nil
	}
	return self().write(s.PidFile)
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
