package api

import (
	"archive/tar"
	"bytes"
	"compress/gzip"
	"io"
	"net/http"
	"slices"
	"strconv"
	"strings"
	"testing"

	"github.com/cloudops-manager/cloudops/engine"
)

// refusal is a write that is refused.
type refusal struct {
	method, path string
	role         engine.Role // "" for a token that nobody has
	body         []byte
	status       int
	says         string // in the answer
}

// revision is a refused submission of the stack hello.
func revision(body []byte, status int, says string) refusal {
	return refusal{"POST", revisions, engine.RoleOperator, body, status, says}
}

// bad packs the stack hello with another stack.hcl.
func bad(t *testing.T, stack string) []byte {
	files := helloFiles()
	files["stack.hcl"] = stack
	return bundle(t, files)
}

// packed is the stack hello with entries that blueprint.Pack would not make. A
// file has zeros for content, which take next to no room.
func packed(t *testing.T, entries ...tar.Header) []byte {
	t.Helper()
	var b bytes.Buffer
	gz := gzip.NewWriter(&b)
	tw := tar.NewWriter(gz)
	put := func(h tar.Header, content io.Reader) {
		h.Mode = 0o644
		if err := tw.WriteHeader(&h); err != nil {
			t.Fatal(err)
		}
		if _, err := io.CopyN(tw, content, h.Size); err != nil {
			t.Fatal(err)
		}
	}
	for name, text := range helloFiles() {
		put(tar.Header{Name: name, Size: int64(len(text))}, strings.NewReader(text))
	}
	for _, h := range entries {
		put(h, zeros{})
	}
	if err := tw.Close(); err != nil {
		t.Fatal(err)
	}
	if err := gz.Close(); err != nil {
		t.Fatal(err)
	}
	return b.Bytes()
}

type zeros struct{}

func (zeros) Read(p []byte) (int, error) { clear(p); return len(p), nil }

// bomb is a small bundle of many megabytes.
func bomb(t *testing.T) []byte {
	var files []tar.Header
	for i := range 100 {
		files = append(files, tar.Header{Name: "zeros-" + strconv.Itoa(i), Size: 1 << 20})
	}
	b := packed(t, files...)
	if len(b) > 1<<20 {
		t.Errorf("the bomb itself has %d bytes", len(b))
	}
	return b
}

func TestRefusedWriteLeavesNothing(t *testing.T) {
	const broken, wrong, hidden = http.StatusUnprocessableEntity, http.StatusUnauthorized, http.StatusForbidden
	variable := "variable \"size\" {\n  type    = number\n  default = \"many\"\n}\n"
	circle := "terraform \"a\" {\n  source = \"./greeting\"\n  inputs = { x = terraform.b.outputs.text }\n}\nterraform \"b\" {\n  source = \"./greeting\"\n  inputs = { x = terraform.a.outputs.text }\n}\n"
	cloud := "cloud \"aws\" \"main\" {\n  region      = \"eu-west-1\"\n  credentials = \"none\"\n}\n"
	good := bundle(t, helloFiles())
	tests := map[string]refusal{
		"a bundle of 11 MB":              revision(make([]byte, 11<<20), broken, "at most 10 MB"),
		"a body of more":                 revision(make([]byte, maxBody+1), http.StatusRequestEntityTooLarge, "at most 10 MB"),
		"a path that leads out":          revision(packed(t, tar.Header{Name: "../evil", Size: 1}), broken, "leads out"),
		"a symlink":                      revision(packed(t, tar.Header{Name: "a", Typeflag: tar.TypeSymlink, Linkname: "/etc"}), broken, "link or a device"),
		"a tar bomb":                     revision(bomb(t), broken, "more than 10 MB"),
		"HCL that is broken":             revision(bad(t, "stack \"hello\" {"), broken, "stack.hcl"),
		"a module that is not there":     revision(bad(t, strings.Replace(hello, "./greeting", "modules/local/none", 1)), broken, "modules/local/none"),
		"a value of the wrong type":      revision(bad(t, variable+hello), broken, "number"),
		"a circle of references":         revision(bad(t, circle+hello), broken, "terraform.a"),
		"credentials that are not there": revision(bad(t, cloud+strings.Replace(hello, "source = ", "cloud  = cloud.aws.main\n  source = ", 1)), broken, "Unknown credentials"),
		"another stack's sources":        {"POST", "/v1/stacks/other/revisions", engine.RoleOperator, good, broken, "hello"},
		"a name that is taken":           {"POST", "/v1/stacks", engine.RoleOperator, []byte(`{"name":"hello"}`), http.StatusConflict, "hello"},
		"somebody who may only look":     {"POST", revisions, engine.RoleViewer, good, hidden, ""},
		"a wrong token":                  {"POST", revisions, "", good, wrong, ""},
		"a wrong token for a run":        {"POST", "/v1/stacks/hello/runs", "", []byte(`{"kind":"apply"}`), wrong, ""},
		"a wrong token for a state":      {"POST", backend, "", []byte(stateText(1, "a")), wrong, ""},
		"a wrong token of a runner":      {"PUT", "/v1/runner/artifacts/plan", "", []byte("plan"), wrong, ""},
	}
	s := newSystem(t)
	s.submit()
	for name, tt := range tests {
		t.Run(name, func(t *testing.T) {
			s.t = t
			s.request("GET", "/v1/stacks", tt.role, nil) // notes when the token was last used
			before := s.dump()
			r := s.must(s.refused(tt), tt.status)
			if !strings.Contains(string(r.body), tt.says) {
				t.Errorf("it says %s", r.body)
			}
			if after := s.dump(); !slices.Equal(before, after) {
				t.Errorf("before:\n%s\nafter:\n%s", strings.Join(before, "\n"), strings.Join(after, "\n"))
			}
		})
	}
	s.t = t
	before := s.dump()
	s.must(s.refused(revision(good, 0, "")), http.StatusCreated)
	if slices.Equal(before, s.dump()) {
		t.Error("what is accepted changes nothing either, so this test finds nothing")
	}
}

// refused sends what has to be refused.
func (s *system) refused(r refusal) response {
	s.t.Helper()
	kind := "application/gzip"
	if bytes.HasPrefix(r.body, []byte("{")) {
		kind = "application/json"
	}
	headers := []string{"Content-Type", kind}
	if r.role == "" {
		headers = append(headers, "Authorization", "Bearer "+engine.NewToken("cop").Reveal())
	}
	return s.send(r.method, r.path, r.role, bytes.NewReader(r.body), headers...)
}

// dump is all that the database holds, a line each, in order.
func (s *system) dump() []string {
	s.t.Helper()
	var b bytes.Buffer
	_, err := s.store.Dump(s.t.Context(), &b)
	s.ok(err)
	var lines []string
	table := ""
	for _, line := range strings.Split(b.String(), "\n")[1:] { // the first has the time
		if _, name, ok := strings.Cut(line, `{"table":"`); ok {
			table, _, _ = strings.Cut(name, `"`)
		}
		// That a write was refused is noted, and nothing else.
		if table != "audit_head" && !strings.Contains(line, `"access.refused"`) && !strings.HasPrefix(line, `{"end"`) {
			lines = append(lines, line)
		}
	}
	slices.Sort(lines) // rows come in any order
	return lines
}
