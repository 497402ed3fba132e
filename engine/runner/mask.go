package runner

import (
	"bytes"
	"encoding/base64"
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
		words = append(words, inBase64(strings.TrimSpace(secret))...)
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

// minEncoded is the least length, in bytes, of a secret that is also looked for in
// base64: of shorter ones too little would be left to tell them by.
const minEncoded = 6

// inBase64 is what is always there of a secret in base64, whatever stands before
// and behind it, such as the name in the header of basic authentication: the
// characters that have no bits of others. It may begin at any of three places.
func inBase64(secret string) (all []string) {
	if len(secret) < minEncoded {
		return nil
	}
	for before := range 3 {
		b := append(bytes.Repeat([]byte{0}, before), secret...)
		from, to := (before*8+5)/6, len(b)*8/6
		for _, encoding := range []*base64.Encoding{base64.RawStdEncoding, base64.RawURLEncoding} {
			all = append(all, encoding.EncodeToString(b)[from:to])
		}
	}
	return all
}

// hide adds secrets to those of the job, with what is secret within them, and
// hides all of them in the log.
func hide(job *engine.Job, log *logWriter, secrets ...string) {
	for _, secret := range secrets {
		job.Mask = append(append(job.Mask, secret), engine.SecretsWithin(secret)...)
	}
	log.hide(job.Mask...)
}
