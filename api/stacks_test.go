package api

import (
	"archive/tar"
	"bytes"
	"compress/gzip"
	"encoding/json"
	"errors"
	"io"
	"net/http"
	"slices"
	"strings"
	"testing"

	"github.com/cloudops-manager/cloudops/api/client"
	"github.com/cloudops-manager/cloudops/engine"
	"github.com/cloudops-manager/cloudops/engine/blueprint"
)

// bundle packs files into a tar.gz.
func bundle(t *testing.T, files map[string]string) []byte {
	t.Helper()
	content := map[string][]byte{}
	for name, text := range files {
		content[name] = []byte(text)
	}
	b, err := blueprint.PackFiles(content)
	if err != nil {
		t.Fatal(err)
	}
	return b
}

const revisions = "/v1/stacks/hello/revisions"

func TestRevisionComesInThreeForms(t *testing.T) {
	tests := map[string]func(s *system) error{
		"files in JSON": func(s *system) error {
			s.must(s.request("POST", revisions, engine.RoleOperator, client.SubmitFiles{Files: helloFiles(), Message: "first"}), http.StatusCreated)
			return nil
		},
		"a tar.gz in a form": func(s *system) error {
			_, err := s.as(engine.RoleOperator).SubmitBundle(t.Context(), "hello", bundle(t, helloFiles()), nil, "first", false)
			return err
		},
		"a tar.gz as it is": func(s *system) error {
			s.must(s.send("POST", revisions+"?message=first", engine.RoleOperator, bytes.NewReader(bundle(t, helloFiles())), "Content-Type", "application/gzip"), http.StatusCreated)
			return nil
		},
	}
	for name, submit := range tests {
		t.Run(name, func(t *testing.T) {
			s := newSystem(t)
			s.ok(submit(s))
			list, err := s.as(engine.RoleViewer).Revisions(t.Context(), "hello", client.Page{})
			s.ok(err)
			if len(list.Items) != 1 {
				t.Fatalf("%d revisions", len(list.Items))
			}
			rev := list.Items[0]
			if rev.Number != 1 || rev.Author != "operator" || rev.Message != "first" || len(rev.Components) != 1 || rev.Components[0].Address != "terraform.greeting" {
				t.Errorf("revision %+v", rev)
			}
			s.hasSources(revisions+"/1/sources", hello)
		})
	}
}

// hasSources checks that what can be downloaded has stack.hcl as it was.
func (s *system) hasSources(path, want string) {
	s.t.Helper()
	r := s.must(s.send("GET", path, engine.RoleViewer, nil), http.StatusOK)
	if got := r.Header.Get("Content-Type"); got != "application/gzip" {
		s.t.Errorf("sources come as %s", got)
	}
	zr, err := gzip.NewReader(bytes.NewReader(r.body))
	s.ok(err)
	for tr := tar.NewReader(zr); ; {
		h, err := tr.Next()
		s.ok(err)
		if strings.TrimPrefix(h.Name, "./") == "stack.hcl" {
			b, err := io.ReadAll(tr)
			s.ok(err)
			if string(b) != want {
				s.t.Errorf("stack.hcl is %s", b)
			}
			return
		}
	}
}

func TestVariablesComeWithTheRevision(t *testing.T) {
	s := newSystem(t)
	files := helloFiles()
	files["stack.hcl"] = "variable \"size\" {\n  type = number\n}\n" + hello
	_, err := s.as(engine.RoleOperator).SubmitBundle(t.Context(), "hello", bundle(t, files), map[string]json.RawMessage{"size": json.RawMessage("3")}, "", false)
	s.ok(err)
	_, err = s.as(engine.RoleOperator).SubmitBundle(t.Context(), "hello", bundle(t, files), nil, "", false)
	if !errors.Is(err, engine.ErrInvalid) {
		t.Errorf("without a value: %v", err)
	}
	rev, err := s.store.Revision(t.Context(), "hello", 1)
	s.ok(err)
	if string(rev.Variables["size"]) != "3" {
		t.Errorf("variables %s", rev.Variables)
	}
}

func TestEveryMistakeComesWithItsPlace(t *testing.T) {
	s := newSystem(t)
	files := helloFiles()
	files["stack.hcl"] = "stack \"hello\" {}\n\nterraform \"a\" {\n  source = \"./nowhere\"\n}\n\noutput \"x\" { value = terraform.b.outputs.y }\n"
	p := s.must(s.request("POST", revisions, engine.RoleOperator, client.SubmitFiles{Files: files}), http.StatusUnprocessableEntity).problem(t)
	if p.Detail != "there are 2 mistakes in what was written" || len(p.Diagnostics) != 2 {
		t.Fatalf("problem %+v", p)
	}
	var lines []int
	for _, d := range p.Diagnostics {
		if lines = append(lines, d.Line); d.File != "stack.hcl" || d.Column == 0 || d.EndLine == 0 || d.Snippet == "" || d.Summary == "" || d.Severity != "error" {
			t.Errorf("diagnostic %+v", d)
		}
	}
	if slices.Sort(lines); !slices.Equal(lines, []int{4, 7}) {
		t.Errorf("lines %v", lines)
	}
	s.must(s.request("GET", "/v1/stacks/hello", engine.RoleViewer, nil), http.StatusNotFound)
}

func TestDryRunStoresNothing(t *testing.T) {
	tests := map[string]struct {
		path   string
		status int
	}{
		"what is right is told so":        {revisions + "?dry_run=true", http.StatusCreated},
		"another stack's is not accepted": {"/v1/stacks/other/revisions?dry_run=true", http.StatusUnprocessableEntity},
	}
	for name, tt := range tests {
		t.Run(name, func(t *testing.T) {
			s := newSystem(t)
			s.must(s.request("POST", tt.path, engine.RoleOperator, client.SubmitFiles{Files: helloFiles()}), tt.status)
			s.must(s.request("GET", "/v1/stacks/hello", engine.RoleViewer, nil), http.StatusNotFound)
		})
	}
}

func TestSubmissionsThatCannotBeRead(t *testing.T) {
	form := "--b\r\nContent-Disposition: form-data; name=\"%s\"\r\n\r\n%s\r\n--b--\r\n"
	part := func(name, content string) string {
		return strings.Replace(strings.Replace(form, "%s", name, 1), "%s", content, 1)
	}
	tests := map[string]struct{ kind, body, detail string }{
		"files that are none":             {"application/json", `{"files":{}}`, "files is empty; send at least stack.hcl"},
		"JSON that is broken":             {"application/json", `{`, "the body is not the JSON of a revision: unexpected end of JSON input"},
		"a form without a bundle":         {"multipart/form-data; boundary=b", part("message", "x"), "the form has no part named bundle with the tar.gz"},
		"a form with another part":        {"multipart/form-data; boundary=b", part("file", "x"), `the form has a part named "file"; there are bundle, variables and message`},
		"a form with broken variables":    {"multipart/form-data; boundary=b", part("variables", "x"), "variables are a JSON object of values by name: invalid character 'x' looking for beginning of value"},
		"a form that ends in the middle":  {"multipart/form-data; boundary=b", "--b\r\nContent-", ""},
		"a form without a boundary":       {"multipart/form-data", part("message", "x"), ""},
		"a content type that is nonsense": {"=", "x", ""},
		"a tar.gz that is none":           {"application/gzip", "x", ""},
	}
	for name, tt := range tests {
		t.Run(name, func(t *testing.T) {
			s := newSystem(t)
			p := s.must(s.send("POST", revisions, engine.RoleOperator, strings.NewReader(tt.body), "Content-Type", tt.kind), http.StatusUnprocessableEntity).problem(t)
			if tt.detail != "" && p.Detail != tt.detail {
				t.Errorf("it says %q", p.Detail)
			}
		})
	}
}

func TestStacksArePaged(t *testing.T) {
	s := newSystem(t)
	for _, name := range []string{"c", "a", "e", "b", "d"} {
		s.must(s.request("POST", "/v1/stacks", engine.RoleOperator, client.CreateStack{Name: name, Labels: map[string]string{"team": name}}), http.StatusCreated)
	}
	var names []string
	for p := (client.Page{Limit: 2}); ; {
		page, err := s.as(engine.RoleViewer).Stacks(t.Context(), p)
		s.ok(err)
		for _, st := range page.Items {
			names = append(names, st.Name)
		}
		if p.Cursor = page.NextCursor; p.Cursor == "" {
			break
		}
	}
	if got := strings.Join(names, ""); got != "abcde" {
		t.Errorf("stacks %s", got)
	}
	all, err := client.All(t.Context(), s.as(engine.RoleViewer).Stacks)
	s.ok(err)
	if len(all) != 5 || all[0].Labels["team"] != "a" {
		t.Errorf("all are %+v", all)
	}
}

func TestStackComesAndGoes(t *testing.T) {
	s := newSystem(t)
	s.submit()
	c := s.as(engine.RoleAdmin)
	st, err := c.Stack(t.Context(), "hello")
	s.ok(err)
	if st.Latest != 1 || st.Applied != 0 || st.Labels == nil {
		t.Errorf("stack %+v", st)
	}
	_, err = c.CreateStack(t.Context(), client.CreateStack{Name: "hello"})
	if !errors.Is(err, engine.ErrConflict) {
		t.Errorf("the name is taken: %v", err)
	}
	run := s.start("apply")
	if err := c.DeleteStack(t.Context(), "hello"); !errors.Is(err, engine.ErrConflict) {
		t.Errorf("with a run under way: %v", err)
	}
	_, err = c.Cancel(t.Context(), run.ID)
	s.ok(err)
	s.ok(c.DeleteStack(t.Context(), "hello"))
	if _, err := c.Stack(t.Context(), "hello"); !errors.Is(err, engine.ErrNotFound) {
		t.Errorf("afterwards: %v", err)
	}
}

func TestOutputsAreHiddenUnlessAllowed(t *testing.T) {
	shown := outputsJSON(engine.Outputs{"a": {Value: []byte("1")}, "b": {Value: []byte("2"), Sensitive: true}, "c": {Unknown: true}}, false)
	if string(shown["a"].Value) != "1" || shown["b"].Value != nil || !shown["b"].Sensitive || !shown["c"].Unknown {
		t.Errorf("shown %+v", shown)
	}
	s := newSystem(t)
	s.submit()
	for role, want := range map[engine.Role]int{engine.RoleViewer: http.StatusForbidden, engine.RoleOperator: http.StatusOK} {
		s.must(s.request("GET", "/v1/stacks/hello/outputs", role, nil), http.StatusOK)
		s.must(s.request("GET", "/v1/stacks/hello/outputs?reveal=true", role, nil), want)
	}
	events, err := s.as(engine.RoleAuditor).Events(t.Context(), client.EventFilter{Stack: "hello", Action: "outputs"}, client.Page{})
	s.ok(err)
	if e := events.Items[0]; e.Action != "outputs.reveal" || e.Actor != "operator" {
		t.Errorf("the audit log has %+v", e)
	}
}

func TestSchedules(t *testing.T) {
	s := newSystem(t)
	s.submit()
	c := s.as(engine.RoleOperator)
	made, err := c.CreateSchedule(t.Context(), "hello", client.CreateSchedule{Name: "nightly", Kind: "preview", Cron: "0 3 * * *", Timezone: "Europe/Zurich"})
	s.ok(err)
	paused, err := c.PauseSchedule(t.Context(), made.ID, true)
	s.ok(err)
	list, err := c.Schedules(t.Context(), "hello")
	s.ok(err)
	if !paused.Paused || len(list) != 1 || list[0].ID != made.ID || !list[0].Paused || list[0].NextRunAt.IsZero() {
		t.Errorf("schedules %+v", list)
	}
	s.ok(c.DeleteSchedule(t.Context(), made.ID))
	if err := c.DeleteSchedule(t.Context(), made.ID); !errors.Is(err, engine.ErrNotFound) {
		t.Errorf("twice: %v", err)
	}
}
