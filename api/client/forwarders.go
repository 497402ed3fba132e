package client

import (
	"context"
	"net/http"
	"time"
)

// AddForwarder says to where the audit log is sent on.
type AddForwarder struct {
	Name       string            `json:"name"`
	Address    string            `json:"address" doc:"udp://, tcp:// or tls:// and a host for syslog; https:// or http://; or s3://bucket/prefix."`
	FromNow    bool              `json:"from_now,omitempty" doc:"Send what happens from now on, not the whole log."`
	Format     string            `json:"format,omitempty" doc:"Of HTTP: jsonl, the default, or cloudevents."`
	Secret     string            `json:"secret,omitempty" doc:"Of HTTP: signs what is sent, as Standard Webhooks do."`
	Header     map[string]string `json:"header,omitempty" doc:"Of HTTP: sent along, as in Authorization."`
	CA         string            `json:"ca,omitempty" doc:"Of tls:// and https://: certificates to trust instead of the system's, as PEM."`
	Region     string            `json:"region,omitempty" doc:"Of S3."`
	Endpoint   string            `json:"endpoint,omitempty" doc:"Of S3, where it is not AWS."`
	Credential string            `json:"credential,omitempty" doc:"Of S3: name of stored credentials."`
}

// PauseForwarder holds a forwarder back, or lets it go on.
type PauseForwarder struct {
	Paused bool `json:"paused"`
}

// Forwarder is to where the audit log is sent on. Secrets are not shown.
type Forwarder struct {
	Name         string     `json:"name"`
	Kind         string     `json:"kind" enum:"syslog,http,s3"`
	Address      string     `json:"address"`
	Format       string     `json:"format,omitempty"`
	Region       string     `json:"region,omitempty"`
	Endpoint     string     `json:"endpoint,omitempty"`
	Credential   string     `json:"credential,omitempty"`
	Seq          int64      `json:"seq" doc:"The last event that was taken there."`
	Paused       bool       `json:"paused"`
	Error        string     `json:"error,omitempty" doc:"Why the last try failed."`
	FailingSince *time.Time `json:"failing_since,omitempty"`
	SentAt       *time.Time `json:"sent_at,omitempty"`
	CreatedBy    string     `json:"created_by"`
	CreatedAt    time.Time  `json:"created_at"`
}

// Forwarders lists to where the audit log is sent on.
func (c *Client) Forwarders(ctx context.Context) ([]Forwarder, error) {
	return items[Forwarder](ctx, c, path("audit", "forwarders"), nil)
}

// AddForwarder sends the audit log on to somewhere.
func (c *Client) AddForwarder(ctx context.Context, f AddForwarder) (Forwarder, error) {
	return post[Forwarder](ctx, c, path("audit", "forwarders"), f)
}

// PauseForwarder holds a forwarder back, or lets it go on.
func (c *Client) PauseForwarder(ctx context.Context, name string, paused bool) (Forwarder, error) {
	var f Forwarder
	return f, c.call(ctx, http.MethodPatch, path("audit", "forwarders", name), nil, PauseForwarder{Paused: paused}, &f)
}

// RemoveForwarder sends the audit log there no more.
func (c *Client) RemoveForwarder(ctx context.Context, name string) error {
	return c.call(ctx, http.MethodDelete, path("audit", "forwarders", name), nil, nil, nil)
}
