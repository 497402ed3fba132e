package runner

import (
	"encoding/json"
	"net/url"
	"slices"
	"strings"

	"github.com/cloudops-manager/cloudops/engine"
)

// minSecret is the least length of a value that is masked: shorter ones would
// blot out ordinary text.
const minSecret = 4

// newMasker replaces each secret, in the spellings that tools print them in.
// Longer ones come first, so that a secret within another leaves nothing of it.
func newMasker(secrets []string) *strings.Replacer {
	var words []string
	for _, secret := range secrets {
		for line := range strings.SplitSeq(secret, "\n") { // since a log is sent so
			if line = strings.TrimSpace(line); len(line) >= minSecret {
				inAddress := url.QueryEscape(line)
				words = append(words, line, inJSON(line), inAddress, strings.ReplaceAll(inAddress, "+", "%20"))
			}
		}
		words = append(words, engine.InBase64(strings.TrimSpace(secret))...)
	}
	slices.SortFunc(words, func(a, b string) int {
		if len(a) != len(b) {
			return len(b) - len(a)
		}
		return strings.Compare(a, b)
	})
	var pairs []string
	for _, word := range slices.Compact(words) {
		pairs = append(pairs, word, "(sensitive)")
	}
	return strings.NewReplacer(pairs...)
}

// inJSON is the text as it stands between the quotes of a JSON string.
func inJSON(s string) string {
	b, err := json.Marshal(s)
	if err != nil {
		return s
	}
	return string(b[1 : len(b)-1])
}

// hide adds secrets to those of the job, with what is secret within them, and
// hides all of them in the log.
func hide(job *engine.Job, log *logWriter, secrets ...string) {
	for _, secret := range secrets {
		job.Mask = append(append(job.Mask, secret), engine.SecretsWithin(secret)...)
	}
	log.hide(job.Mask...)
}
