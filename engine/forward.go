package engine

import (
	"context"
	"errors"
	"fmt"
	"log/slog"
	"net/url"
	"slices"
	"time"
)

// ForwarderKind is a way on which the audit log is sent on.
type ForwarderKind string

// The ways on which the audit log is sent on.
const (
	ForwardSyslog ForwarderKind = "syslog" // RFC 5424, to udp://, tcp:// or tls://
	ForwardHTTP   ForwarderKind = "http"   // posts, to https:// or http://
	ForwardS3     ForwarderKind = "s3"     // objects, to s3://bucket/prefix
)

// ForwarderKinds lists the ways.
func ForwarderKinds() []ForwarderKind {
	return []ForwarderKind{ForwardSyslog, ForwardHTTP, ForwardS3}
}

// Forwarder sends the audit log on to somewhere, each event at least once and
// in order.
type Forwarder struct {
	Name    string
	Kind    ForwarderKind
	Address string // as in https://logs.example.com/audit
	Config  ForwarderConfig
	Seq     int64 // the last event that was taken there
	Paused  bool
	Error   string // of the last try; empty where that went well

	FailingSince, SentAt time.Time
	CreatedBy            string
	CreatedAt, UpdatedAt time.Time
}

// ForwarderConfig is what a forwarder needs beside the address. It is kept
// encrypted.
type ForwarderConfig struct {
	Format     string            // of http: "jsonl", which is the default, or "cloudevents"
	Secret     Secret            // of http: signs what is posted; may be empty
	Header     map[string]Secret // of http: sent along
	CA         string            // of tls:// and https://: certificates to trust instead of the system's, as PEM
	Region     string            // of s3
	Endpoint   string            // of s3: where it is not AWS
	Credential string            // of s3: name of stored credentials
}

// ForwarderStore keeps forwarders.
type ForwarderStore interface {
	// AddForwarder wraps ErrConflict where the name is taken.
	AddForwarder(ctx context.Context, f *Forwarder, e Event) error
	Forwarder(ctx context.Context, name string) (*Forwarder, error)
	Forwarders(ctx context.Context) ([]*Forwarder, error) // by name
	PauseForwarder(ctx context.Context, name string, paused bool, at time.Time, e Event) error
	DeleteForwarder(ctx context.Context, name string, e Event) error
	// Forwarded moves a forwarder on from an event to another, and forgets its
	// error. It wraps ErrConflict where it stands elsewhere.
	Forwarded(ctx context.Context, name string, from, to int64, at time.Time) error
	// ForwardFailed keeps why nothing could be sent.
	ForwardFailed(ctx context.Context, name, why string, at time.Time) error
}

// Shipment is a part of the audit log on its way.
type Shipment struct {
	Installation string
	From, To     int64 // events
	Events       []*Event
	Lines        [][]byte // them as an export has them, with keys and checkpoints
}

// Shipper takes parts of the log to one place. Ship may get the same part again.
type Shipper interface {
	Ship(ctx context.Context, s Shipment) error
}

// Forwarding sends the audit log on.
type Forwarding struct {
	Audit *Audit
	// Shipper gives what takes the log to a forwarder's address, and refuses one
	// to which there is no way.
	Shipper func(ctx context.Context, f *Forwarder) (Shipper, error)
	Now     func() time.Time
	Log     *slog.Logger
}

// Add makes a forwarder that sends everything from the first event on or, with
// fromNow, from the next one.
func (f *Forwarding) Add(ctx context.Context, p Principal, fw *Forwarder, fromNow bool) error {
	if err := CheckName("forwarder", fw.Name); err != nil {
		return err
	}
	u, err := url.Parse(fw.Address)
	if err != nil || u.Host == "" || u.User != nil {
		return Invalid("forwarder %s: an address is a URL without a password, as in tls://logs.example.com:6514, https://logs.example.com/audit or s3://bucket/prefix", fw.Name)
	}
	if fw.Kind, err = forwarderKind(u.Scheme); err != nil {
		return err
	}
	if _, err := f.Shipper(ctx, fw); err != nil {
		return fmt.Errorf("forwarder %s: %w", fw.Name, err)
	}
	if fromNow {
		c, err := f.Audit.Checkpoint(ctx) // so that what follows can be verified without what was before
		if err != nil {
			return err
		}
		fw.Seq = c.Seq
	}
	fw.CreatedBy, fw.CreatedAt, fw.UpdatedAt = p.User, f.Now(), f.Now()
	return f.Audit.Store.AddForwarder(ctx, fw, f.event(p, "forwarder.add", fw.Name).changing(nil, fw.plain()))
}

func forwarderKind(scheme string) (ForwarderKind, error) {
	kinds := map[string]ForwarderKind{"udp": ForwardSyslog, "tcp": ForwardSyslog, "tls": ForwardSyslog, "http": ForwardHTTP, "https": ForwardHTTP, "s3": ForwardS3}
	kind, ok := kinds[scheme]
	if !ok {
		return "", Invalid("an address starts with udp://, tcp:// or tls:// for syslog, with https:// or http://, or with s3://, not with %s://", scheme)
	}
	return kind, nil
}

// AddressFor is the address as p may see it: by HTTP only the host, unless p may
// change it, for the rest is as good as a password for many receivers.
func (f *Forwarder) AddressFor(p Principal) string {
	if f.Kind == ForwardHTTP && !p.May(MayManageSystem, Scope{}) {
		return placeOf(f.Address)
	}
	return f.Address
}

// plain is what the audit log says of a forwarder.
func (f *Forwarder) plain() map[string]any {
	if f == nil {
		return nil
	}
	names := []string{}
	for name := range f.Config.Header {
		names = append(names, name)
	}
	slices.Sort(names)
	return map[string]any{"address": f.AddressFor(Principal{}), "paused": f.Paused, "format": f.Config.Format, "headers": names, "signed": f.Config.Secret != "",
		"region": f.Config.Region, "endpoint": f.Config.Endpoint, "credential": f.Config.Credential}
}

func (f *Forwarding) event(p Principal, action, name string) Event {
	return newEvent(f.Now(), p.User, action, "", name, nil)
}

// Pause holds a forwarder back, or lets it go on from where it was.
func (f *Forwarding) Pause(ctx context.Context, p Principal, name string, paused bool) (*Forwarder, error) {
	fw, err := f.Audit.Store.Forwarder(ctx, name)
	if err != nil {
		return nil, err
	}
	fw.Paused = paused
	e := replacing(f.event(p, "forwarder.pause", name), func(before *Forwarder) (was, is map[string]any) {
		if before != nil {
			was = map[string]any{"paused": before.Paused}
		}
		return was, map[string]any{"paused": paused}
	})
	return fw, f.Audit.Store.PauseForwarder(ctx, name, paused, f.Now(), e)
}

// Remove ends a forwarder. What it has sent stays where it is.
func (f *Forwarding) Remove(ctx context.Context, p Principal, name string) error {
	e := f.event(p, "forwarder.remove", name)
	return f.Audit.Store.DeleteForwarder(ctx, name, replacing(e, func(before *Forwarder) (was, is map[string]any) { return before.plain(), nil }))
}

// Forward sends to each forwarder what it does not have yet. One that fails
// does not hold up the others.
func (f *Forwarding) Forward(ctx context.Context) error {
	list, err := f.Audit.Store.Forwarders(ctx)
	if err != nil {
		return err
	}
	for _, fw := range list {
		if fw.Paused {
			continue
		}
		err := f.forward(ctx, fw)
		if errors.Is(err, ErrConflict) {
			continue // another process sends, or it was removed
		}
		if err != nil && ctx.Err() == nil {
			f.Log.WarnContext(ctx, "audit log not sent on; it is tried again", "forwarder", fw.Name, "err", err)
			if err := f.Audit.Store.ForwardFailed(ctx, fw.Name, err.Error(), f.Now()); err != nil {
				return err
			}
		}
	}
	return ctx.Err()
}

// The bounds of what is sent at a time. Objects are few and large: one waits
// until it is full, or until its first event is a minute old.
const (
	shipEvents = 500
	shipAge    = time.Minute
)

func (f *Forwarding) forward(ctx context.Context, fw *Forwarder) error {
	shipper, err := f.Shipper(ctx, fw)
	if err != nil {
		return err
	}
	for {
		events, err := f.Audit.Store.EventsAfter(ctx, EventFilter{}, fw.Seq, shipEvents)
		if err != nil || len(events) == 0 {
			return err
		}
		if fw.Kind == ForwardS3 && len(events) < shipEvents && f.Now().Sub(events[0].At) < shipAge {
			return nil
		}
		s, err := f.shipment(ctx, fw.Seq, events)
		if err != nil {
			return err
		}
		if err := shipper.Ship(ctx, s); err != nil {
			return err
		}
		if err := f.Audit.Store.Forwarded(ctx, fw.Name, fw.Seq, s.To, f.Now()); err != nil {
			return err
		}
		fw.Seq = s.To
	}
}

// shipment is events with the keys, and with the checkpoints of them and of the
// one before.
func (f *Forwarding) shipment(ctx context.Context, after int64, events []*Event) (Shipment, error) {
	head, err := f.Audit.Store.AuditHead(ctx)
	if err != nil {
		return Shipment{}, err
	}
	s := Shipment{Installation: head.Installation, From: events[0].Seq, To: events[len(events)-1].Seq, Events: events}
	keys, err := f.Audit.Store.AuditKeys(ctx)
	if err != nil {
		return Shipment{}, err
	}
	for _, k := range keys {
		s.Lines = append(s.Lines, k.Line())
	}
	return s, f.Audit.batch(ctx, events, after, s.To, func(line []byte) error {
		s.Lines = append(s.Lines, line)
		return nil
	})
}
