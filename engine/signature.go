package engine

import (
	"crypto/hmac"
	"crypto/rand"
	"crypto/sha256"
	"crypto/subtle"
	"encoding/base64"
	"strconv"
	"strings"
	"time"
)

// Signatures of webhooks are those of Standard Webhooks 1.0,
// https://github.com/standard-webhooks/standard-webhooks/blob/main/spec/standard-webhooks.md.
const (
	webhookSecretPrefix = "whsec_"
	webhookVersion      = "v1,"
	// SignatureWindow is how far the time of a signed message may be from ours.
	SignatureWindow = 5 * time.Minute
)

// SigningSecrets are the secret in use and, for a day after it was replaced, the
// one before, so that both ends can change over.
type SigningSecrets struct {
	Newest, Old Secret
	OldUntil    time.Time
}

const oldSecretLife = 24 * time.Hour

// at lists those that are good at a time.
func (s SigningSecrets) at(now time.Time) []Secret {
	if s.Old == "" || now.After(s.OldUntil) {
		return []Secret{s.Newest}
	}
	return []Secret{s.Newest, s.Old}
}

// replaced puts a new secret in use.
func (s SigningSecrets) replaced(now time.Time) SigningSecrets {
	return SigningSecrets{Newest: NewWebhookSecret(), Old: s.Newest, OldUntil: now.Add(oldSecretLife)}
}

// SignedMessage is what travels with the body of a webhook.
type SignedMessage struct {
	ID        string
	Timestamp string // seconds since 1970
	Signature string // one or more, with a space between them
}

// NewWebhookSecret makes up a secret of 256 bits.
func NewWebhookSecret() Secret {
	var b [32]byte
	rand.Read(b[:])
	return Secret(webhookSecretPrefix + base64.StdEncoding.EncodeToString(b[:]))
}

// Sign signs a message with each of the secrets.
func Sign(secrets []Secret, id string, at time.Time, body []byte) SignedMessage {
	m := SignedMessage{ID: id, Timestamp: strconv.FormatInt(at.Unix(), 10)}
	var all []string
	for _, s := range secrets {
		if key := webhookKey(s); key != nil {
			all = append(all, webhookVersion+base64.StdEncoding.EncodeToString(m.mac(key, body)))
		}
	}
	m.Signature = strings.Join(all, " ")
	return m
}

// SignedBy reports whether one of the signatures is that of one of the secrets,
// and the message no older or newer than SignatureWindow. It takes as long
// whichever does not fit.
func (m SignedMessage) SignedBy(secrets []Secret, body []byte, now time.Time) bool {
	fits := 0
	for _, s := range secrets {
		key := webhookKey(s)
		if key == nil { // or everybody could sign with the empty one
			continue
		}
		want := m.mac(key, body)
		for _, text := range m.signatures() {
			got, err := base64.StdEncoding.DecodeString(text)
			if err == nil {
				fits |= subtle.ConstantTimeCompare(got, want)
			}
		}
	}
	return fits == 1 && m.plausible() && m.fresh(now)
}

// maxSignatures bounds what is compared of one message.
const maxSignatures = 8

// signatures are those of the version that we know.
func (m SignedMessage) signatures() (found []string) {
	for _, part := range strings.Fields(m.Signature) {
		if text, ok := strings.CutPrefix(part, webhookVersion); ok && len(found) < maxSignatures {
			found = append(found, text)
		}
	}
	return found
}

// plausible refuses identifiers with which a signed text could be read in two
// ways, and those that nobody makes.
func (m SignedMessage) plausible() bool {
	return m.ID != "" && len(m.ID) <= 128 && !strings.ContainsFunc(m.ID, func(r rune) bool { return r <= ' ' || r > '~' || r == '.' || r == '@' })
}

func (m SignedMessage) fresh(now time.Time) bool {
	seconds, err := strconv.ParseInt(m.Timestamp, 10, 64)
	if err != nil {
		return false
	}
	age := now.Sub(time.Unix(seconds, 0))
	return age.Abs() <= SignatureWindow
}

func (m SignedMessage) mac(key, body []byte) []byte {
	h := hmac.New(sha256.New, key)
	h.Write([]byte(m.ID + "." + m.Timestamp + "."))
	h.Write(body)
	return h.Sum(nil)
}

// webhookKey is the key in a secret; nil where it is none.
func webhookKey(s Secret) []byte {
	text, ok := strings.CutPrefix(s.Reveal(), webhookSecretPrefix)
	key, err := base64.StdEncoding.DecodeString(text)
	if !ok || err != nil || len(key) < 24 || len(key) > 64 {
		return nil
	}
	return key
}
