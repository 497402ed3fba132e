package engine

import (
	"slices"
	"testing"
)

func TestSecretsWithinADocumentAreFoundByTheirNames(t *testing.T) {
	for document, want := range map[string][]string{
		`{"host": "db.internal", "password": "hunter2", "port": 5432}`:      {"hunter2"},
		`{"Users": [{"name": "ada", "apiToken": "t1"}, {"SECRET": ["a"]}]}`: {"a", "t1"},
		aKey:          {"-----BEGIN PRIVATE KEY-----\nMIIE\n"},
		`"password"`:  nil,
		`hunter2`:     nil,
		`{"password"`: nil,
	} {
		got := SecretsWithin(document)
		slices.Sort(got)
		if !slices.Equal(got, want) {
			t.Errorf("%s: %q", document, got)
		}
	}
}
