package ansible

import (
	"bytes"
	"cmp"
	"encoding/json"
	"slices"
	"strings"

	"github.com/cloudops-manager/cloudops/engine"
)

// minSecret is the least length of a text, and the least number of digits of a
// number, that is masked: shorter ones would blot out ordinary text, as truth
// values would.
const minSecret = 4

// masker hides a job's secrets in what tasks say and show.
type masker struct {
	secrets  []string
	replacer *strings.Replacer
}

func newMasker(job *engine.Job) masker {
	var secrets []string
	for _, s := range job.Mask {
		secrets = append(secrets, spellings(s)...)
	}
	if job.Ansible != nil {
		for _, name := range job.Ansible.Sensitive {
			for _, s := range texts(job.Ansible.Vars[name]) {
				secrets = append(secrets, spellings(s)...)
			}
		}
	}
	slices.SortFunc(secrets, func(a, b string) int { return cmp.Or(len(b)-len(a), cmp.Compare(a, b)) })
	secrets = slices.Compact(secrets)
	var pairs []string
	for _, s := range secrets {
		pairs = append(pairs, s, "(sensitive)")
	}
	return masker{secrets, strings.NewReplacer(pairs...)}
}

// spellings lists how a secret may appear: line by line, as JSON has it, and in base64.
func spellings(secret string) []string {
	quoted, _ := json.Marshal(secret) // a text is always JSON
	var all []string
	for _, s := range append(strings.Split(secret, "\n"), strings.Trim(string(quoted), `"`)) {
		if s = strings.TrimSpace(s); len(s) >= minSecret {
			all = append(all, s)
		}
	}
	return append(all, engine.InBase64(strings.TrimSpace(secret))...)
}

// texts lists the texts in a JSON value, and its numbers with enough digits.
func texts(raw json.RawMessage) []string {
	var v any
	dec := json.NewDecoder(bytes.NewReader(raw))
	dec.UseNumber()
	if dec.Decode(&v) != nil {
		return nil
	}
	var found []string
	var walk func(any)
	walk = func(v any) {
		switch v := v.(type) {
		case string:
			found = append(found, v)
		case json.Number:
			if n := plainNumber(v); len(n)-strings.Count(n, "-")-strings.Count(n, ".") >= minSecret {
				found = append(found, n)
			}
		case []any:
			for _, e := range v {
				walk(e)
			}
		case map[string]any:
			for _, e := range v {
				walk(e)
			}
		}
	}
	walk(v)
	return found
}

func (m masker) hide(s string) string { return m.replacer.Replace(s) }

func (m masker) finds(data []byte) bool {
	return slices.ContainsFunc(m.secrets, func(s string) bool { return strings.Contains(string(data), s) })
}
