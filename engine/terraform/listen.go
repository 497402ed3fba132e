package terraform

import (
	"bytes"
	"cmp"
	"encoding/json"
	"fmt"
	"io"
	"slices"
	"strings"

	"github.com/cloudops-manager/cloudops/engine"
)

// message is the part of a line of Terraform's machine-readable output that we
// read. Source: https://developer.hashicorp.com/terraform/internals/machine-readable-ui.
type message struct {
	Level      string `json:"@level"`
	Message    string `json:"@message"`
	Type       string `json:"type"`
	Diagnostic *struct {
		Severity string `json:"severity"`
		Summary  string `json:"summary"`
		Detail   string `json:"detail"`
		Address  string `json:"address"`
		Range    *struct {
			Filename string `json:"filename"`
			Start    struct {
				Line   int `json:"line"`
				Column int `json:"column"`
			} `json:"start"`
		} `json:"range"`
		Snippet *struct {
			Code      string `json:"code"`
			StartLine int    `json:"start_line"`
		} `json:"snippet"`
	} `json:"diagnostic"`
	Hook *struct {
		Action string `json:"action"`
		Output string `json:"output"`
	} `json:"hook"`
	Changes *struct {
		Operation string `json:"operation"`
	} `json:"changes"`
}

// listener takes what a command prints, passes it on as text for people and
// remembers what matters.
type listener struct {
	to      io.Writer
	line    []byte // not whole yet
	errors  []string
	more    int    // errors that are not kept
	other   []byte // lines that are not messages, which is how init and crashes speak
	applied engine.Summary
	summed  bool // an apply came to its end
}

func newListener(to io.Writer) *listener { return &listener{to: to} }

// Write implements io.Writer.
func (l *listener) Write(p []byte) (int, error) {
	n := len(p)
	for {
		line, rest, whole := bytes.Cut(p, []byte("\n"))
		if !whole {
			l.line = append(l.line, line...)
			return n, nil
		}
		if len(l.line) > 0 {
			line = append(l.line, line...)
		}
		l.take(line)
		l.line, p = nil, rest
	}
}

// flush takes what came without a line's end.
func (l *listener) flush() {
	if len(l.line) > 0 {
		l.take(l.line)
		l.line = nil
	}
}

func (l *listener) take(line []byte) {
	var m message
	if len(line) == 0 || line[0] != '{' || json.Unmarshal(line, &m) != nil || m.Message == "" {
		l.keep(line)
		fmt.Fprintf(l.to, "%s\n", line)
		return
	}
	l.count(m)
	switch {
	case m.Type == "version":
	case m.Diagnostic != nil:
		text := diagnosticText(m)
		fmt.Fprintf(l.to, "\n%s\n", text)
		if m.Diagnostic.Severity == "error" {
			l.refuse(text)
		}
	default:
		fmt.Fprintf(l.to, "%s\n", m.Message)
	}
}

// maxOther bounds what is kept of lines that are no messages, in bytes.
const maxOther = 8 << 10

// keep keeps the last of those lines: what went wrong stands at the end.
func (l *listener) keep(line []byte) {
	l.other = append(append(l.other, line...), '\n')
	if len(l.other) > 2*maxOther {
		l.other = append(l.other[:0], l.other[len(l.other)-maxOther:]...)
	}
}

// maxErrors bounds how many errors are kept: a wrong credential is one for
// each resource.
const maxErrors = 20

func (l *listener) refuse(text string) {
	if len(l.errors) < maxErrors {
		l.errors = append(l.errors, text)
	} else {
		l.more++
	}
}

// reason is the text of a command that does not speak in messages, from its
// first error on.
func (l *listener) reason() string {
	text := string(bytes.TrimSpace(l.other))
	if i := strings.Index("\n"+text, "\nError: "); i >= 0 {
		return text[i:]
	}
	return text
}

// count keeps how far an apply came, which a failed apply does not sum up itself.
func (l *listener) count(m message) {
	if m.Type == "change_summary" && m.Changes != nil {
		l.summed = m.Changes.Operation != "plan"
	}
	if m.Type != "apply_complete" || m.Hook == nil {
		return
	}
	switch m.Hook.Action {
	case "create":
		l.applied.Create++
	case "update":
		l.applied.Update++
	case "delete":
		l.applied.Delete++
	}
}

// diagnosticText renders a diagnostic: what, where, the line, and why.
func diagnosticText(m message) string {
	d := m.Diagnostic
	var b strings.Builder
	severity := cmp.Or(d.Severity, "diagnostic") // a line may be somebody else's
	fmt.Fprintf(&b, "%s: %s", strings.ToUpper(severity[:1])+severity[1:], d.Summary)
	if d.Address != "" {
		fmt.Fprintf(&b, " (%s)", d.Address)
	}
	if d.Range != nil {
		fmt.Fprintf(&b, "\n  on %s line %d", d.Range.Filename, d.Range.Start.Line)
	}
	if d.Snippet != nil {
		for i, code := range strings.Split(d.Snippet.Code, "\n") {
			fmt.Fprintf(&b, "\n  %4d: %s", d.Snippet.StartLine+i, code)
		}
	}
	if d.Detail != "" {
		fmt.Fprintf(&b, "\n%s", d.Detail)
	}
	return b.String()
}

// needsInit reports whether a command failed because the workspace has to be
// initialized first. Terraform says so within 100 ms, which is cheaper than
// initializing every time.
func needsInit(err error) bool {
	return mentions(err, "Inconsistent dependency lock file", "Required plugins are not installed", "Backend initialization required",
		"Module not installed", "Module source has changed", "Missing or corrupted provider plugins", "Provider dependency changed")
}

// want is what init lacks.
type want int

const (
	nothing  want = iota
	provider      // one that stands in none of the folders
	checksum      // one whose lock file knows it as it comes from the registry, or on another system
)

// lacking says what of providers made init fail.
func lacking(err error) want {
	switch {
	case mentions(err, "any of the checksums previously recorded", "any of the checksums recorded"):
		return checksum
	case mentions(err, "Failed to query available provider packages", "not found in any of the search locations", "no available releases match"):
		return provider
	}
	return nothing
}

// mentions looks for texts. Those for people are broken into lines anywhere.
func mentions(err error, texts ...string) bool {
	if err == nil {
		return false
	}
	said := strings.Join(strings.Fields(err.Error()), " ")
	return slices.ContainsFunc(texts, func(text string) bool { return strings.Contains(said, text) })
}
