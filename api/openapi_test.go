package api

import (
	"bytes"
	"encoding/json"
	"flag"
	"net/http"
	"os"
	"slices"
	"strings"
	"testing"
)

var update = flag.Bool("update", false, "write golden files anew")

const goldenOpenAPI = "../docs/openapi.json"

func TestOpenAPIFileIsUpToDate(t *testing.T) {
	s := newSystem(t)
	r := s.must(s.send("GET", "/openapi.json", "", nil), http.StatusOK)
	var b bytes.Buffer
	if err := json.Indent(&b, r.body, "", "  "); err != nil {
		t.Fatal(err)
	}
	b.WriteByte('\n')
	if *update {
		if err := os.WriteFile(goldenOpenAPI, b.Bytes(), 0o644); err != nil {
			t.Fatal(err)
		}
	}
	golden, err := os.ReadFile(goldenOpenAPI)
	if err != nil {
		t.Fatal(err)
	}
	if !bytes.Equal(golden, b.Bytes()) {
		t.Errorf("%s is behind; write it anew with: go test ./api -run OpenAPI -update", goldenOpenAPI)
	}
}

func TestOpenAPIDescribesEachOperation(t *testing.T) {
	s := newSystem(t)
	var doc struct {
		OpenAPI string
		Paths   map[string]map[string]struct {
			OperationID string
			Summary     string
			Security    []map[string][]string
			Responses   map[string]struct{ Content map[string]any }
		}
		Components struct {
			Schemas map[string]struct{ Properties map[string]any }
		}
	}
	s.must(s.send("GET", "/openapi.json", "", nil), http.StatusOK).json(t, &doc)
	if !strings.HasPrefix(doc.OpenAPI, "3.1") {
		t.Errorf("it is OpenAPI %s", doc.OpenAPI)
	}
	ids := map[string]string{}
	for path, methods := range doc.Paths {
		for method, op := range methods {
			route := strings.ToUpper(method) + " " + path
			if op.OperationID == "" || op.Summary == "" || ids[op.OperationID] != "" {
				t.Errorf("%s: identifier %q, summary %q", route, op.OperationID, op.Summary)
			}
			ids[op.OperationID] = route
			if open := s.server.permissions[strings.ToUpper(method)+" "+ginPath(path)] == public; open != (len(op.Security) == 0) {
				t.Errorf("%s: security %v", route, op.Security)
			}
			if op.Responses["default"].Content[problemType] == nil {
				t.Errorf("%s: errors are not problems: %v", route, op.Responses)
			}
		}
	}
	if len(ids) < 45 || doc.Components.Schemas["Problem"].Properties["diagnostics"] == nil {
		t.Errorf("%d operations, problems with %v", len(ids), doc.Components.Schemas["Problem"].Properties)
	}
}

// huma makes arrays nullable unless told otherwise, and clients in most
// languages then have to ask about null before each list.
func TestOpenAPIArraysAreNeverNull(t *testing.T) {
	golden, err := os.ReadFile(goldenOpenAPI)
	if err != nil {
		t.Fatal(err)
	}
	var file any
	if err := json.Unmarshal(golden, &file); err != nil {
		t.Fatal(err)
	}
	var walk func(path string, v any)
	walk = func(path string, v any) {
		switch v := v.(type) {
		case map[string]any:
			if kinds, ok := v["type"].([]any); ok && slices.Contains(kinds, any("null")) && slices.Contains(kinds, any("array")) {
				t.Errorf("%s may be null", path)
			}
			for key, inner := range v {
				walk(path+"/"+key, inner)
			}
		case []any:
			for _, inner := range v {
				walk(path, inner)
			}
		}
	}
	walk("", file)
}

// wholeLists are the lists that need no pages, and why.
var wholeLists = map[string]string{
	"GET /v1/keys":       "there is one a rotation",
	"GET /v1/keys/usage": "there is a line a column and key",
	"PUT /v1/variable-sets/{set}/variables/{kind}/{name}":    "what the change did to each stack is told once",
	"DELETE /v1/variable-sets/{set}/variables/{kind}/{name}": "what the change did to each stack is told once",
}

func TestOpenAPIListsTakeACursor(t *testing.T) {
	golden, err := os.ReadFile(goldenOpenAPI)
	if err != nil {
		t.Fatal(err)
	}
	var doc struct {
		Paths map[string]map[string]struct {
			Parameters []struct{ Name string }
			Responses  map[string]struct {
				Content map[string]struct {
					Schema struct {
						Ref string `json:"$ref"`
					}
				}
			}
		}
	}
	if err := json.Unmarshal(golden, &doc); err != nil {
		t.Fatal(err)
	}
	lists := 0
	for path, methods := range doc.Paths {
		for method, op := range methods {
			if !strings.HasPrefix(op.Responses["200"].Content["application/json"].Schema.Ref, "#/components/schemas/List") {
				continue
			}
			lists++
			paged, route := 0, strings.ToUpper(method)+" "+path
			for _, p := range op.Parameters {
				if p.Name == "cursor" || p.Name == "limit" {
					paged++
				}
			}
			if whole := wholeLists[route] != ""; paged != 2 && !whole || paged > 0 && whole {
				t.Errorf("%s takes %d of cursor and limit", route, paged)
			}
		}
	}
	if lists < 15 {
		t.Errorf("only %d lists were found", lists)
	}
}
