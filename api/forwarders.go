package api

import (
	"context"
	"net/http"
	"strings"

	"github.com/cloudops-manager/cloudops/api/client"
	"github.com/cloudops-manager/cloudops/engine"
)

func (s *server) forwarderRoutes() {
	handle(s, operation{method: "GET", path: "/v1/audit/forwarders", id: "list-forwarders", summary: "List to where the audit log is sent on", tag: "audit", permission: engine.MayReadSystem},
		func(ctx context.Context, in *PageQuery) (*body[client.List[client.Forwarder]], error) {
			list, err := s.Store.Forwarders(ctx)
			name := func(f *engine.Forwarder) string { return f.Name }
			show := func(f *engine.Forwarder) client.Forwarder {
				j := forwarderJSON(f)
				j.Address = f.AddressFor(me(ctx))
				return j
			}
			return listed(part(list, *in, name), err, *in, show, name)
		})
	handle(s, operation{method: "POST", path: "/v1/audit/forwarders", id: "add-forwarder", summary: "Send the audit log on to somewhere", tag: "audit", permission: engine.MayManageSystem, status: http.StatusCreated}, s.addForwarder)
	handle(s, operation{method: "PATCH", path: "/v1/audit/forwarders/{name}", id: "pause-forwarder", summary: "Hold a forwarder back, or let it go on", tag: "audit", permission: engine.MayManageSystem},
		func(ctx context.Context, in *struct {
			NamePath
			Body client.PauseForwarder
		}) (*body[client.Forwarder], error) {
			f, err := s.Forward.Pause(ctx, me(ctx), in.Name, in.Body.Paused)
			if err != nil {
				return nil, err
			}
			return answer(forwarderJSON(f), nil)
		})
	handle(s, operation{method: "DELETE", path: "/v1/audit/forwarders/{name}", id: "remove-forwarder", summary: "Send the audit log there no more", tag: "audit", permission: engine.MayManageSystem},
		func(ctx context.Context, in *NamePath) (*none, error) {
			return &none{}, s.Forward.Remove(ctx, me(ctx), in.Name)
		})
}

func (s *server) addForwarder(ctx context.Context, in *struct{ Body client.AddForwarder }) (*body[client.Forwarder], error) {
	b := in.Body
	f := &engine.Forwarder{Name: b.Name, Address: strings.TrimSpace(b.Address), Config: engine.ForwarderConfig{Format: b.Format, Secret: engine.Secret(b.Secret),
		CA: b.CA, Region: b.Region, Endpoint: b.Endpoint, Credential: b.Credential, Header: map[string]engine.Secret{}}}
	for name, value := range b.Header {
		f.Config.Header[name] = engine.Secret(value)
	}
	if err := s.Forward.Add(ctx, me(ctx), f, b.FromNow); err != nil {
		return nil, err
	}
	return answer(forwarderJSON(f), nil)
}

func forwarderJSON(f *engine.Forwarder) client.Forwarder {
	j := client.Forwarder{Name: f.Name, Kind: string(f.Kind), Address: f.Address, Format: f.Config.Format, Region: f.Config.Region, Endpoint: f.Config.Endpoint,
		Credential: f.Config.Credential, Seq: f.Seq, Paused: f.Paused, Error: f.Error, CreatedBy: f.CreatedBy, CreatedAt: f.CreatedAt}
	if !f.FailingSince.IsZero() {
		j.FailingSince = &f.FailingSince
	}
	if !f.SentAt.IsZero() {
		j.SentAt = &f.SentAt
	}
	return j
}
