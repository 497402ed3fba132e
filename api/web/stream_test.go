package web

import (
	"strings"
	"testing"
)

func TestNobodyEndsAnEventOfAStreamAndBeginsTheirOwn(t *testing.T) {
	for name, text := range map[string]string{
		"by line feeds":       "a\n\nevent: end\n\nb",
		"by returns":          "a\r\revent: end\r\rb",
		"by returns and both": "a\r\n\r\nevent: end\r\n\rb",
	} {
		var sent strings.Builder
		s := stream{w: &sent, flush: func() {}}
		if err := s.send("", text); err != nil {
			t.Fatal(err)
		}
		if want := "data: a\ndata: \ndata: event: end\ndata: \ndata: b\n\n"; sent.String() != want {
			t.Errorf("%s: %q is sent", name, sent.String())
		}
	}
}
