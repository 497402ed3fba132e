package terraform

import (
	"bytes"
	"cmp"
	"encoding/json"
	"fmt"
	"regexp"
	"slices"
	"strconv"
	"strings"
	"sync"

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
	slices.SortFunc(s, func(a, b string) int { return cmp.Compare(len(b), len(a)) }) // of one within another nothing is left
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

var keyInAddress = sync.OnceValue(func() *regexp.Regexp { return regexp.MustCompile(`\["(?:[^"\\]|\\.)*"\]`) })

// address is an address without the secrets that its keys are made from, as where
// a module makes a resource for each of them.
func (s secrets) address(address string) string {
	return keyInAddress().ReplaceAllStringFunc(address, s.text)
}

// text is a text without secrets: as it is, or as it stands within a JSON string.
func (s secrets) text(text string) string {
	for _, secret := range s {
		text = strings.ReplaceAll(text, secret, hiddenValue)
	}
	quoted, err := json.Marshal(text)
	if err != nil || !s.in(quoted) {
		return text
	}
	for _, secret := range s {
		quoted = bytes.ReplaceAll(quoted, []byte(secret), []byte(hiddenValue))
	}
	if json.Unmarshal(quoted, &text) != nil {
		return hiddenValue
	}
	return text
}

// extend adds a step, a name or an index, to a path. Behind the first one, which
// is an attribute, a name may be a key that is made from a secret.
func (s secrets) extend(path string, step any) string {
	switch step := step.(type) {
	case string:
		if path == "" {
			return step
		}
		return path + "." + s.text(step)
	case float64:
		return path + "[" + strconv.Itoa(int(step)) + "]"
	case json.Number:
		return path + "[" + step.String() + "]"
	case int:
		return path + "[" + strconv.Itoa(step) + "]"
	}
	return path + "." + fmt.Sprint(step)
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
			delete(v, key)
			v[s.key(key)] = s.remove(item)
		}
	case []any:
		for i, item := range v {
			v[i] = s.remove(item)
		}
	}
	return v
}

var attributeName = sync.OnceValue(func() *regexp.Regexp { return regexp.MustCompile(`^[a-z_][a-z0-9_]*$`) })

// key is a key without secrets. One that may be the name of an attribute stays:
// policies look for it, and a secret that is chosen like it would keep it from them.
func (s secrets) key(key string) string {
	if attributeName().MatchString(key) {
		return key
	}
	return s.text(key)
}
