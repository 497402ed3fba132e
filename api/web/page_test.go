package web_test

import (
	"net/http"
	"regexp"
	"strings"
	"testing"
)

// page is an answer that was read whole.
type page struct {
	t      testing.TB
	path   string
	header http.Header
	text   string
}

// hidden gives the value of a hidden field.
func (p page) hidden(name string) string {
	p.t.Helper()
	found := regexp.MustCompile(`name="` + name + `" value="([^"]*)"`).FindStringSubmatch(p.text)
	if found == nil {
		p.t.Fatalf("%s has no field %s: %s", p.path, name, p.text)
	}
	return found[1]
}

// csrf is what forms on the page bring along.
func (p page) csrf() string { return p.hidden("csrf_token") }

func (p page) has(texts ...string) page {
	p.t.Helper()
	for _, text := range texts {
		if !strings.Contains(p.text, text) {
			p.t.Errorf("%s lacks %q:\n%s", p.path, text, p.text)
		}
	}
	return p
}

func (p page) lacks(texts ...string) page {
	p.t.Helper()
	for _, text := range texts {
		if strings.Contains(p.text, text) {
			p.t.Errorf("%s has %q", p.path, text)
		}
	}
	return p
}
