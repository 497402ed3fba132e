package siem

import (
	"bytes"
	"context"
	"crypto/hmac"
	"crypto/sha256"
	"encoding/base64"
	"errors"
	"fmt"
	"io"
	"net/http"
	"net/url"
	"strconv"
	"time"

	"github.com/cloudops-manager/cloudops/engine"
)

// post sends the log in the bodies of POST requests.
type post struct {
	to     string
	config engine.ForwarderConfig
	client *http.Client
}

// reserved are headers that are not the forwarder's to set.
var reserved = map[string]bool{"Host": true, "Content-Length": true, "Content-Type": true, "Transfer-Encoding": true, "Connection": true}

func newPost(u *url.URL, c engine.ForwarderConfig, client *http.Client) (*post, error) {
	if c.Format != "" && c.Format != "jsonl" && c.Format != "cloudevents" {
		return nil, engine.Invalid("a format is jsonl or cloudevents, not %q", c.Format)
	}
	for name, value := range c.Header {
		if reserved[http.CanonicalHeaderKey(name)] || !validHeader(name, value.Reveal()) {
			return nil, engine.Invalid("header %q cannot be set", name)
		}
	}
	return &post{u.String(), c, client}, nil
}

// validHeader reports whether net/http would send the header.
func validHeader(name, value string) bool {
	h := http.Header{name: {value}}
	return name != "" && h.WriteSubset(io.Discard, nil) == nil && !bytes.ContainsAny([]byte(name+value), "\r\n\x00") && !bytes.ContainsAny([]byte(name), " :")
}

// Ship implements engine.Shipper. Any answer of 2xx means that it was taken.
func (p *post) Ship(ctx context.Context, s engine.Shipment) error {
	kind, body := "application/jsonl", lines(s)
	if p.config.Format == "cloudevents" {
		var err error
		if kind, body, err = batch(s); err != nil {
			return err
		}
	}
	req, err := http.NewRequestWithContext(ctx, http.MethodPost, p.to, bytes.NewReader(body))
	if err != nil {
		return err
	}
	for name, value := range p.config.Header {
		req.Header.Set(name, value.Reveal())
	}
	req.Header.Set("Content-Type", kind)
	sign(req.Header, p.config.Secret, fmt.Sprintf("%s-%d-%d", s.Installation, s.From, s.To), time.Now(), body)
	res, err := p.client.Do(req)
	var u *url.Error
	if errors.As(err, &u) {
		return u.Err // without the address, whose query may be a secret
	}
	if err != nil {
		return err
	}
	defer res.Body.Close()
	if res.StatusCode/100 != 2 {
		return fmt.Errorf("it was answered with %s", res.Status)
	}
	return nil
}

func batch(s engine.Shipment) (kind string, body []byte, err error) {
	format := Formats()["cloudevents"]
	var b bytes.Buffer
	w := format.New(&b, s.Installation)
	for _, e := range s.Events {
		if err := w.Write(e); err != nil {
			return "", nil, err
		}
	}
	err = w.Close()
	return format.Type, b.Bytes(), err
}

// sign adds the headers of Standard Webhooks 1.0. Source:
// https://github.com/standard-webhooks/standard-webhooks/blob/main/spec/standard-webhooks.md.
func sign(h http.Header, secret engine.Secret, id string, at time.Time, body []byte) {
	stamp := strconv.FormatInt(at.Unix(), 10)
	h.Set("Webhook-Id", id)
	h.Set("Webhook-Timestamp", stamp)
	if secret == "" {
		return
	}
	mac := hmac.New(sha256.New, []byte(secret.Reveal()))
	mac.Write([]byte(id + "." + stamp + "."))
	mac.Write(body)
	h.Set("Webhook-Signature", "v1,"+base64.StdEncoding.EncodeToString(mac.Sum(nil)))
}
