package engine

import (
	"encoding/base64"
	"strings"
	"testing"
	"time"
)

// The message, secret and signature of the specification's own example.
func TestSignaturesAreThoseOfTheSpecification(t *testing.T) {
	secret := Secret("whsec_MfKQ9r8GKYqrTwjUPD8ILPZIo2LaLaSw")
	body := []byte(`{"test": 2432232314}`)
	at := time.Unix(1614265330, 0)
	m := Sign([]Secret{secret}, "msg_p5jXN8AQM9LWM0D4loKWxJek", at, body)
	if want := "v1,g0hM9SsE+OTPJTGt/tmIKtSyZlE3uFJELVlNIOLJ1OE="; m.Signature != want {
		t.Errorf("signature %s, want %s", m.Signature, want)
	}
	if !m.SignedBy([]Secret{secret}, body, at) {
		t.Error("it is not taken back")
	}
}

func TestOnlyWhatIsSignedNowIsTaken(t *testing.T) {
	now := time.Date(2026, 1, 2, 3, 4, 5, 0, time.UTC)
	mine, other, body := NewWebhookSecret(), NewWebhookSecret(), []byte(`{"message":"x"}`)
	good := Sign([]Secret{mine}, "msg-1", now, body)
	with := func(edit func(*SignedMessage)) SignedMessage { m := good; edit(&m); return m }
	tests := map[string]struct {
		m    SignedMessage
		body string
		at   time.Duration
		want bool
	}{
		"now":                             {good, string(body), 0, true},
		"as late as can be":               {good, string(body), SignatureWindow, true},
		"too late":                        {good, string(body), SignatureWindow + time.Second, false},
		"from the future":                 {good, string(body), -SignatureWindow - time.Second, false},
		"another body":                    {good, `{"message":"y"}`, 0, false},
		"another message":                 {with(func(m *SignedMessage) { m.ID = "msg-2" }), string(body), 0, false},
		"another time":                    {with(func(m *SignedMessage) { m.Timestamp = "1767323046" }), string(body), 0, false},
		"no time":                         {with(func(m *SignedMessage) { m.Timestamp = "" }), string(body), 0, false},
		"no signature":                    {with(func(m *SignedMessage) { m.Signature = "" }), string(body), 0, false},
		"a signature of nothing":          {with(func(m *SignedMessage) { m.Signature = "v1," }), string(body), 0, false},
		"one of another version":          {with(func(m *SignedMessage) { m.Signature = "v2" + m.Signature[2:] }), string(body), 0, false},
		"one of several":                  {with(func(m *SignedMessage) { m.Signature = "v1a,xx v1,AAAA " + m.Signature }), string(body), 0, true},
		"behind more than anybody has":    {with(func(m *SignedMessage) { m.Signature = strings.Repeat("v1,AAAA ", 8) + m.Signature }), string(body), 0, false},
		"with somebody else's secret":     {Sign([]Secret{other}, "msg-1", now, body), string(body), 0, false},
		"with a secret that is none":      {Sign([]Secret{"whsec_short"}, "msg-1", now, body), string(body), 0, false},
		"an identifier read in two ways":  {Sign([]Secret{mine}, "msg.1", now, body), string(body), 0, false},
		"an identifier with a line break": {Sign([]Secret{mine}, "msg\n1", now, body), string(body), 0, false},
	}
	for name, tt := range tests {
		t.Run(name, func(t *testing.T) {
			if got := tt.m.SignedBy([]Secret{mine}, []byte(tt.body), now.Add(tt.at)); got != tt.want {
				t.Errorf("taken: %v", got)
			}
		})
	}
}

// An empty key would let everybody sign.
func TestASecretThatIsNoneSignsNothing(t *testing.T) {
	now := time.Unix(1614265330, 0)
	empty := Secret("whsec_")
	m := SignedMessage{ID: "msg-1", Timestamp: "1614265330"}
	m.Signature = webhookVersion + base64.StdEncoding.EncodeToString(m.mac(nil, nil))
	if Sign([]Secret{empty}, "msg-1", now, nil).Signature != "" || m.SignedBy([]Secret{empty}, nil, now) {
		t.Error("an empty secret signs")
	}
}

func TestAReplacedSecretIsGoodForADay(t *testing.T) {
	now := time.Date(2026, 1, 2, 3, 4, 5, 0, time.UTC)
	old := SigningSecrets{Newest: NewWebhookSecret()}
	s := old.replaced(now)
	m := Sign(s.at(now), "msg-1", now, nil)
	if !m.SignedBy(old.at(now), nil, now) || !m.SignedBy([]Secret{s.Newest}, nil, now) {
		t.Error("one of both ends does not take it")
	}
	later := now.Add(oldSecretLife + time.Second)
	if m := Sign(s.at(later), "msg-2", later, nil); m.SignedBy(old.at(later), nil, later) {
		t.Error("the old secret signs for ever")
	}
}

func FuzzSignature(f *testing.F) {
	now := time.Date(2026, 1, 2, 3, 4, 5, 0, time.UTC)
	mine := NewWebhookSecret()
	good := Sign([]Secret{NewWebhookSecret()}, "msg-1", now, []byte("x"))
	f.Add(good.ID, good.Timestamp, good.Signature, []byte("x"))
	f.Add("", "", "v1,", []byte{})
	f.Add("msg.1", "99999999999999999999", "v1,AAAA v1, v1,=", []byte("x"))
	f.Fuzz(func(t *testing.T, id, at, signature string, body []byte) {
		if (SignedMessage{id, at, signature}).SignedBy([]Secret{mine}, body, now) {
			t.Error("taken without the secret")
		}
	})
}
