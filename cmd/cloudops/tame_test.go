package main

import (
	"bytes"
	"testing"
)

func TestATerminalIsShownTextAndColoursOnly(t *testing.T) {
	tests := map[string][2]string{
		"text":                        {"plan: + 1 ä €\n\tx", "plan: + 1 ä €\n\tx"},
		"colours":                     {"\x1b[1;31mred\x1b[0m", "\x1b[1;31mred\x1b[0m"},
		"a screen that is cleared":    {"a\x1b[2Jb", "a[2Jb"},
		"a line that is written anew": {"destroy all\rcreate one", "destroy allcreate one"},
		"a clipboard that is set":     {"\x1b]52;c;cm0gLXJm\x07", "]52;c;cm0gLXJm"},
		"a title":                     {"\x1b]0;root\x1b\\", "]0;root\\"},
		"an answer that is asked for": {"\x1b[6n\x05", "[6n"},
		"controls of eight bits":      {"\u009b2J\xc2\x9d", "2J"},
		"text that turns":             {"a\u202egpj.exe", "agpj.exe"},
		"no text":                     {"a\xff\xfeb", "ab"},
		"a sequence without an end":   {"\x1b[" + string(bytes.Repeat([]byte("1"), 100)) + "m", "[" + string(bytes.Repeat([]byte("1"), 100)) + "m"},
	}
	for name, tt := range tests {
		t.Run(name, func(t *testing.T) {
			for _, step := range []int{1, 2, 3, len(tt[0])} { // however it comes
				var out bytes.Buffer
				w := &tame{to: &out}
				for rest := []byte(tt[0]); len(rest) > 0; {
					n := min(step, len(rest))
					if m, err := w.Write(rest[:n]); m != n || err != nil {
						t.Fatal(m, err)
					}
					rest = rest[n:]
				}
				if out.String() != tt[1] {
					t.Errorf("%d at a time: %q, want %q", step, &out, tt[1])
				}
			}
		})
	}
}
