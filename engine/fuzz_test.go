package engine

import (
	"bytes"
	"strings"
	"testing"
	"unicode"
)

// FuzzState holds that whatever a state backend is sent is read or refused.
func FuzzState(f *testing.F) {
	f.Add([]byte(`{"version":4,"serial":1,"lineage":"l","outputs":{"a":{"value":1,"type":"number"}},"resources":[{"mode":"managed","type":"t","name":"n","module":"module.m","instances":[{"index_key":"k","attributes":{"id":"1"},"dependencies":["t.o"]}]}]}`), "module.m.t.n[\"k\"]")
	f.Add([]byte(`null`), "t.n")
	f.Add([]byte(`{"version":4,"resources":null}`), "t.n[0]")
	f.Add([]byte(`{"resources":[null,{"instances":[null]}]}`), "data.t.n")
	f.Fuzz(func(t *testing.T, data []byte, address string) {
		_, _ = parseState(data)
		_, _ = StateOutputs(data)
		_, _ = stateIDs(data)
		d, err := openState(data)
		if err != nil {
			return
		}
		d.addresses()
		a, err := parseAddress(address)
		if err != nil {
			return
		}
		taken, err := d.take(a)
		if err == nil && d.put(taken, a, a) == nil {
			_, _ = d.close(2, "l")
		}
	})
}

// FuzzToolLogs holds that no log of a tool can keep a run from telling what was
// finished, nor put a line of its own among those of the engine.
func FuzzToolLogs(f *testing.F) {
	f.Add("aws_vpc.a: Creating...\naws_vpc.a: Creation complete after 1s [id=vpc-1]\n")
	f.Add("PLAY [all] ***\nTASK [x] ***\nchanged: [web-1]\nfatal: [web-2]: FAILED! => {}\n")
	f.Add("a: Destroying... [id=\x1b[31m]\r\nTASK [\x00]\nok: [a] => (item=b)\n")
	f.Fuzz(func(t *testing.T, log string) {
		for _, p := range []*Progress{readProgress(strings.NewReader(log)), readPlay(strings.NewReader(log))} {
			for _, line := range p.Lines() {
				if strings.Contains(line, "\n") {
					t.Errorf("a line of two: %q", line)
				}
			}
		}
	})
}

// FuzzNames holds that a name says one place only.
func FuzzNames(f *testing.F) {
	for _, s := range []string{"web", "pay.web", "stack:pay.web", "project:pay", "default.web", "installation", "a..b", "stack:", "Pay.web", "a/b", "y.y.0", "pay.pay"} {
		f.Add(s)
	}
	f.Fuzz(func(t *testing.T, text string) {
		if s, err := ParseScope(text); err == nil {
			if again, err := ParseScope(s.String()); err != nil || again != s {
				t.Errorf("%q is %v, and that reads as %v, %v", text, s, again, err)
			}
		}
		if checkQualified("stack", text) == nil && InProject(ProjectOf(text), WithinProject(text)) != text {
			t.Errorf("%q has two names", text)
		}
	})
}

// FuzzPrintable holds that nothing gets into a log or a terminal but text.
func FuzzPrintable(f *testing.F) {
	f.Add("a\x1b[31mb\r\nforged line", 100)
	f.Add("\u202edlrow\u2028x\xff", 3)
	f.Fuzz(func(t *testing.T, text string, most int) {
		most = max(0, most%1000)
		got := Printable(text, most)
		if len(got) > most+3 || strings.ContainsFunc(got, func(r rune) bool { return !unicode.IsGraphic(r) && r != unicode.ReplacementChar }) {
			t.Errorf("%q", got)
		}
		if !bytes.Equal([]byte(got), []byte(strings.ToValidUTF8(got, ""))) {
			t.Errorf("%q is no text", got)
		}
	})
}
