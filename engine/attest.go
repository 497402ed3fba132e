package engine

import (
	"crypto/ed25519"
	"crypto/sha256"
	"encoding/base64"
	"encoding/hex"
	"time"
)

// AuditKey is the public half of a key that signs statements about the audit log.
type AuditKey struct {
	ID        string // first 16 digits of the SHA-256 of the key
	Public    ed25519.PublicKey
	At        time.Time // when it was made
	By        string    // key that vouches for it; empty for the first
	Signature []byte    // of By
	RetiredAt time.Time // zero for the one in use
}

// AuditSigner is a key with its private half.
type AuditSigner struct {
	AuditKey
	Private ed25519.PrivateKey
}

// KeyID names a public key.
func KeyID(public ed25519.PublicKey) string {
	sum := sha256.Sum256(public)
	return hex.EncodeToString(sum[:8])
}

// NewAuditSigner makes a key. The one before vouches for it; nil for the first.
func NewAuditSigner(before *AuditSigner, at time.Time) *AuditSigner {
	public, private, err := ed25519.GenerateKey(nil)
	if err != nil {
		panic(err) // crypto/rand does not fail
	}
	s := &AuditSigner{AuditKey{ID: KeyID(public), Public: public, At: at}, private}
	if before != nil {
		s.By = before.ID
		s.Signature = ed25519.Sign(before.Private, s.statement())
	}
	return s
}

// statement is what the key before has signed.
func (k AuditKey) statement() []byte { return statement("key", k.body(), k.By) }

func (k AuditKey) body() map[string]any {
	return map[string]any{"id": k.ID, "public": encode64(k.Public), "at": k.At.UTC().Format(recordTime)}
}

// Line is the key as exports have it.
func (k AuditKey) Line() []byte { return signedLine("key", k.body(), k.By, k.Signature) }

// Checkpoint is a signed statement that the chain had these events and no
// others up to Seq, at a time.
type Checkpoint struct {
	Installation string // random identifier of the database
	Seq          int64
	Hash         string // of the event Seq
	At           time.Time
	Key          string // identifier of the key that signed
	Signature    []byte // Ed25519
}

func (c Checkpoint) body() map[string]any {
	return map[string]any{"installation": c.Installation, "seq": c.Seq, "hash": c.Hash, "at": c.At.UTC().Format(recordTime)}
}

// Line is the checkpoint as exports have it.
func (c Checkpoint) Line() []byte { return signedLine("checkpoint", c.body(), c.Key, c.Signature) }

// Checkpoint signs c.
func (s *AuditSigner) Checkpoint(c Checkpoint) Checkpoint {
	c.Key = s.ID
	c.Signature = ed25519.Sign(s.Private, statement("checkpoint", c.body(), s.ID))
	return c
}

// AuditDrop is a signed statement that the events From to To were whole when
// they were removed because they were old enough.
type AuditDrop struct {
	Installation string
	From, To     int64
	Previous     string // hash before the event From
	Hash         string // of the event To
	Digest       string // SHA-256 of the hashes of all events removed, in hexadecimal, a line each
	At           time.Time
	Key          string
	Signature    []byte
}

func (d AuditDrop) body() map[string]any {
	return map[string]any{"installation": d.Installation, "from": d.From, "to": d.To, "previous": d.Previous, "hash": d.Hash,
		"digest": d.Digest, "at": d.At.UTC().Format(recordTime)}
}

// Line is the statement as exports have it.
func (d AuditDrop) Line() []byte { return signedLine("dropped", d.body(), d.Key, d.Signature) }

// Drop signs d.
func (s *AuditSigner) Drop(d AuditDrop) AuditDrop {
	d.Key = s.ID
	d.Signature = ed25519.Sign(s.Private, statement("dropped", d.body(), s.ID))
	return d
}

// statement is what is signed: the object of a line without its signature, in
// the form of RFC 8785. The kind around it keeps one from standing for another.
func statement(kind string, body map[string]any, key string) []byte {
	if key != "" {
		body["key"] = key
	}
	return jcs(map[string]any{kind: body})
}

func signedLine(kind string, body map[string]any, key string, signature []byte) []byte {
	if key != "" {
		body["key"], body["signature"] = key, encode64(signature)
	}
	return jcs(map[string]any{kind: body})
}

func encode64(b []byte) string { return base64.StdEncoding.EncodeToString(b) }
