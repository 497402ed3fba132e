package terraform

import (
	"bytes"
	"errors"
	"fmt"
	"strings"
	"testing"
)

func TestWhatTerraformSaysIsPassedOnAsText(t *testing.T) {
	const diagnostic = `{"@level":"error","@message":"Error: No","type":"diagnostic","diagnostic":{"severity":"error","summary":"No","detail":"Because.",` +
		`"address":"a.b","range":{"filename":"main.tf","start":{"line":2,"column":3}},"snippet":{"code":"  x = y","start_line":2}}}`
	tests := map[string]struct{ said, want string }{
		"a message":                         {`{"@message":"a.b: Creating...","type":"apply_start"}`, "a.b: Creating...\n"},
		"a message in pieces":               {"{\"@message\":\x00\"a.b: Creating...\"\x00,\"type\":\"apply_start\"}", "a.b: Creating...\n"},
		"the version, which is of no use":   {`{"@message":"Terraform 1.11.4","type":"version"}`, ""},
		"an error with its place":           {diagnostic, "\nError: No (a.b)\n  on main.tf line 2\n     2:   x = y\nBecause.\n"},
		"a line that is no message":         {"panic: oh no", "panic: oh no\n"},
		"JSON that is none of its messages": {`{"a":1}`, "{\"a\":1}\n"},
		"a last line without its end":       {"first\nlast", "first\nlast\n"},
	}
	for name, tt := range tests {
		t.Run(name, func(t *testing.T) {
			var text bytes.Buffer
			l := newListener(&text)
			for piece := range strings.SplitSeq(tt.said, "\x00") {
				if n, err := l.Write([]byte(piece)); n != len(piece) || err != nil {
					t.Fatal(n, err)
				}
			}
			l.flush()
			if text.String() != tt.want {
				t.Errorf("text = %q, want %q", text.String(), tt.want)
			}
		})
	}
}

func TestErrorOfInitIsFoundAfterAllThatItSaidBefore(t *testing.T) {
	l := newListener(&bytes.Buffer{})
	for i := range 10_000 {
		fmt.Fprintf(l, "- Installing provider %d...\n", i)
	}
	fmt.Fprint(l, "\nError: Failed to query\n\nNo such thing.\n")
	if got := l.reason(); got != "Error: Failed to query\n\nNo such thing." {
		t.Errorf("reason = %q", got)
	}
}

func TestManyErrorsAreCounted(t *testing.T) {
	l := newListener(&bytes.Buffer{})
	for i := range maxErrors + 3 {
		fmt.Fprintf(l, `{"@message":"m","diagnostic":{"severity":"error","summary":"Error %d"}}`+"\n", i)
	}
	err := (&Failure{Command: "plan", Errors: l.errors, More: l.more}).Error()
	if !strings.Contains(err, "Error 19") || strings.Contains(err, "Error 20") || !strings.HasSuffix(err, "and 3 errors more, which the log has") {
		t.Error(err)
	}
}

func TestWhyACommandCannotGoOn(t *testing.T) {
	tests := map[string]struct {
		said  string
		init  bool
		lacks want
	}{
		"a workspace that was never initialized": {said: "Error: Backend initialization required, please run \"terraform init\"", init: true},
		"a provider that is nowhere":             {said: "Error: Failed to query available provider packages", lacks: provider},
		"a text that is broken into lines":       {said: "package doesn't match any of\nthe checksums previously recorded in the dependency lock file", lacks: checksum},
		"anything else":                          {said: "Error: Invalid reference"},
	}
	for name, tt := range tests {
		t.Run(name, func(t *testing.T) {
			err := errors.New(tt.said)
			if needsInit(err) != tt.init || lacking(err) != tt.lacks {
				t.Errorf("needs init %v, lacks %v", needsInit(err), lacking(err))
			}
		})
	}
}
