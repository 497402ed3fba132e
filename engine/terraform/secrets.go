package terraform

import (
	"bytes"
	"encoding/json"
	"slices"
	"strings"

	"github.com/cloudops-manager/cloudops/engine"
)

// secrets are texts that must not be shown, whatever Terraform knows of them:
// a module may take a sensitive value by a variable that it does not declare
// sensitive, and then Terraform shows what is made from it. Each is spelled as
// it stands within a JSON string.
type secrets []string

// minSecret is the least length of a text that counts as a secret. Shorter
// ones would hide ordinary values.
const minSecret = 4

func secretsOf(job *engine.Job) secrets {
	var s secrets
	for _, text := range job.Mask {
		if text = strings.TrimSpace(text); len(text) >= minSecret {
			quoted, err := json.Marshal(text)
			if err == nil { // as it is with every text
				s = append(s, string(quoted[1:len(quoted)-1]))
			}
			s = append(s, engine.InBase64(text)...)
		}
	}
	return s
}

// in reports whether a secret stands in JSON.
func (s secrets) in(b []byte) bool {
	return slices.ContainsFunc(s, func(secret string) bool { return bytes.Contains(b, []byte(secret)) })
}

// shown gives both sides of a change as JSON, or neither where one of them is
// marked sensitive or has a secret in it.
func (s secrets) shown(before, after any, unknown, marked bool) (from, to json.RawMessage, sensitive bool) {
	if marked {
		return nil, nil, true
	}
	from = raw(before)
	if !unknown {
		to = raw(after)
	}
	if s.in(from) || s.in(to) {
		return nil, nil, true
	}
	return from, to, false
}

// removed is a document without the texts that have a secret in them.
func (s secrets) removed(doc []byte) ([]byte, error) {
	if !s.in(doc) {
		return doc, nil
	}
	var v any
	dec := json.NewDecoder(bytes.NewReader(doc))
	dec.UseNumber()
	if err := dec.Decode(&v); err != nil {
		return nil, err
	}
	return json.Marshal(s.remove(v))
}

func (s secrets) remove(v any) any {
	switch v := v.(type) {
	case string:
		if s.in(raw(v)) {
			return hiddenValue
		}
	case json.Number: // as a whole, for others have its digits within theirs
		if slices.Contains(s, v.String()) {
			return hiddenValue
		}
	case map[string]any:
		for key, item := range v {
			v[key] = s.remove(item)
		}
	case []any:
		for i, item := range v {
			v[i] = s.remove(item)
		}
	}
	return v
}
