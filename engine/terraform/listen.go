package terraform

import (
	"bytes"
	"encoding/json"
	"fmt"
	"io"
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
}

// listener takes what a command prints, passes it on as text for people and
// remembers what matters.
type listener struct {
	to      io.Writer
	line    []byte // not whole yet
	errors  []string
	other   string // lines that are not messages, which is how crashes speak
	applied engine.Summary
}

func newListener(to io.Writer) *listener { return &listener{to: to} }

// maxOther bounds what is kept of lines that are no messages, in bytes.
const maxOther = 4 << 10

// Write implements io.Writer.
func (l *listener) Write(p []byte) (int, error) {
	l.line = append(l.line, p...)
	for {
		line, rest, ok := bytes.Cut(l.line, []byte("\n"))
		if !ok {
			return len(p), nil
		}
		l.take(line)
		l.line = append(l.line[:0], rest...)
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
		if len(l.other) < maxOther {
			l.other += string(line) + "\n"
		}
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
			l.errors = append(l.errors, text)
		}
	case m.Type == "provision_progress" && m.Hook != nil:
		fmt.Fprintf(l.to, "%s\n", m.Message)
	default:
		fmt.Fprintf(l.to, "%s\n", m.Message)
	}
}

// count keeps what was applied, which a failed apply does not sum up itself.
func (l *listener) count(m message) {
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
	fmt.Fprintf(&b, "%s: %s", strings.ToUpper(d.Severity[:1])+d.Severity[1:], d.Summary)
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

// missingProvider reports whether init found a provider in none of the folders.
func missingProvider(err error) bool {
	return mentions(err, "Failed to query available provider packages", "was not found in any of the search locations", "no available releases match")
}

func mentions(err error, texts ...string) bool {
	if err == nil {
		return false
	}
	for _, text := range texts {
		if strings.Contains(err.Error(), text) {
			return true
		}
	}
	return false
}
