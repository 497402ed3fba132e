package engine

import "io"

// A log that is kept for a runner that takes over implements marker.
type marker interface {
	Begin(command string)
	Resume(command string)
}

// BeginLog notes that what follows in the log is the output of a command.
func BeginLog(log io.Writer, command string) {
	if m, ok := log.(marker); ok {
		m.Begin(command)
	}
}

// ResumeLog takes the log back to where the command began, because its output
// is written once more from the beginning.
func ResumeLog(log io.Writer, command string) {
	if m, ok := log.(marker); ok {
		m.Resume(command)
	}
}
