package engine

import (
	"errors"
	"fmt"
	"strings"
)

// Severity tells mistakes from warnings.
type Severity string

// The severities of a diagnostic.
const (
	SeverityError   Severity = "error"
	SeverityWarning Severity = "warning"
)

// Position is a place in a source file. Lines and columns count from 1,
// columns in Unicode characters.
type Position struct{ Line, Column int }

// Diagnostic is one mistake in what a person wrote, with its place and what
// to do about it.
type Diagnostic struct {
	Severity   Severity
	Summary    string
	Detail     string // says what to do
	File       string // within the sources; empty where no file is to blame
	Start, End Position
	Snippet    string // the source lines from Start to End, without a newline at the end
}

// String renders the diagnostic the way compilers do: place, summary, detail,
// then the source lines with a marker under the place.
func (d Diagnostic) String() string {
	var b strings.Builder
	if d.File != "" {
		fmt.Fprintf(&b, "%s:%d:%d: ", d.File, d.Start.Line, d.Start.Column)
	}
	fmt.Fprintf(&b, "%s", d.Summary)
	if d.Detail != "" {
		fmt.Fprintf(&b, ": %s", d.Detail)
	}
	for i, line := range strings.Split(d.Snippet, "\n") {
		if d.Snippet == "" {
			break
		}
		fmt.Fprintf(&b, "\n  %4d | %s", d.Start.Line+i, line)
		if i == 0 {
			fmt.Fprintf(&b, "\n       | %s%s", pad(line, d.Start.Column-1), strings.Repeat("^", d.width(line)))
		}
	}
	return b.String()
}

// width is how many characters of the first line the mistake covers.
func (d Diagnostic) width(line string) int {
	end := len([]rune(line)) + 1
	if d.End.Line == d.Start.Line {
		end = min(end, d.End.Column)
	}
	return max(1, end-d.Start.Column)
}

// pad returns n blanks, with the line's own tabs, so that a marker lines up.
func pad(line string, n int) string {
	var b strings.Builder
	for i, r := range []rune(line) {
		if i >= n {
			break
		}
		if r != '\t' {
			r = ' '
		}
		b.WriteRune(r)
	}
	return b.String()
}

// Diagnostics are all the mistakes of one input. As an error they are of the
// kind ErrInvalid.
type Diagnostics []Diagnostic

// HasErrors reports whether one of them is more than a warning.
func (ds Diagnostics) HasErrors() bool {
	for _, d := range ds {
		if d.Severity == SeverityError {
			return true
		}
	}
	return false
}

// Err returns ds as an error, or nil where there are warnings at most.
func (ds Diagnostics) Err() error {
	if !ds.HasErrors() {
		return nil
	}
	return ds
}

// with tells the mistakes together with those that another check ended with.
func (ds Diagnostics) with(err error) error {
	var more Diagnostics
	switch {
	case len(ds) == 0 || err != nil && !errors.As(err, &more):
		return err
	default:
		return append(ds, more...)
	}
}

// Error lists every mistake.
func (ds Diagnostics) Error() string {
	lines := make([]string, len(ds))
	for i, d := range ds {
		lines[i] = d.String()
	}
	return strings.Join(lines, "\n")
}

// Is makes diagnostics an ErrInvalid.
func (ds Diagnostics) Is(target error) bool { return target == ErrInvalid }
