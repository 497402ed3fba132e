// Package sandbox starts a child on our terms where a library insists on
// starting it itself. The library is given our own binary as the program, which
// becomes the child as package shim has it. This package decides what the terms
// are, and sees to the child from outside.
package sandbox

import "github.com/cloudops-manager/cloudops/engine/sandbox/shim"

// Spec is the terms of one child.
type Spec struct {
	Program string // absolute path of what to become
	// Output is a file that standard output and errors are appended to. A
	// file does not break, as a pipe does, when who reads it dies. Empty
	// leaves both as they are.
	Output string
	// PidFile names the child before it begins; see ReadProcess.
	PidFile string
	// Hold names lock files that the child, and all it starts, hold for as long
	// as one of them lives: shared, so that others can see they are in use.
	Hold []string
	// Answers are texts to print instead of becoming the program, by its
	// arguments joined with blanks.
	Answers map[string]string
	Walls   Walls
}

// Variable returns the name and the value to put into the environment of the
// process that is to become the child.
func (s Spec) Variable() (name, value string, err error) {
	return shim.Terms{Program: s.Program, Output: s.Output, PidFile: s.PidFile, Hold: s.Hold, Answers: s.Answers, Walls: s.Walls.terms()}.Variable()
}

// KeepOpenFiles has what this process has open by now, beyond its three streams,
// stay with it; see shim.KeepOpenFiles.
func KeepOpenFiles() error { return shim.KeepOpenFiles() }
