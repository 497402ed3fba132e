package engine

import (
	"encoding/base64"
	"slices"
	"strings"
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

func TestSecretIsFoundInBase64WhereverItBegins(t *testing.T) {
	const secret = "p4ss~w\xc3\xb6rd?"
	for _, encoding := range []*base64.Encoding{base64.StdEncoding, base64.RawURLEncoding} {
		for n := range 7 {
			text := encoding.EncodeToString([]byte(strings.Repeat("x", n) + secret + strings.Repeat("y", 6-n)))
			if !slices.ContainsFunc(InBase64(secret), func(s string) bool { return strings.Contains(text, s) }) {
				t.Errorf("behind %d bytes it is not found in %s", n, text)
			}
		}
	}
	if InBase64("short") != nil {
		t.Error("a short secret is looked for, which would blot out what is none")
	}
}
