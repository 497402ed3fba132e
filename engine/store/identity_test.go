package store_test

import (
	"testing"
	"time"

	"github.com/cloudops-manager/cloudops/engine"
	"github.com/cloudops-manager/cloudops/engine/store"
)

func device() *engine.DeviceLogin {
	return &engine.DeviceLogin{Hash: "h", Code: "BCDFGHJK", Client: "laptop", Address: "192.0.2.1", Status: engine.DevicePending, CreatedAt: noon, ExpiresAt: noon.Add(time.Minute)}
}

func TestIdentityBelongsToOneUser(t *testing.T) {
	eachDatabase(t, func(t *testing.T, s *store.Store) {
		newUser(t, s, "ada")
		id := engine.SignOnIdentity{Issuer: "https://idp", Subject: "1"}
		_, err := s.UserByIdentity(t.Context(), id.Issuer, id.Subject)
		wantKind(t, err, engine.ErrNotFound)
		wantKind(t, s.CreateLinked(t.Context(), &engine.User{Name: "ada", CreatedAt: noon}, nil, id, event("user.create", "")), engine.ErrConflict)
		must(t, s.CreateLinked(t.Context(), &engine.User{Name: "bob", CreatedAt: noon}, nil, id, event("user.create", "")))
		wantEqual(t, got(s.UserByIdentity(t.Context(), id.Issuer, id.Subject))(t).Name, "bob")
		wantKind(t, s.LinkUser(t.Context(), "ada", id, noon, event("user.link", "")), engine.ErrConflict)
		must(t, s.LinkUser(t.Context(), "ada", engine.SignOnIdentity{Issuer: "https://idp", Subject: "2"}, noon, event("user.link", "")))
		wantEqual(t, got(s.UserByIdentity(t.Context(), "https://idp", "2"))(t).Name, "ada")
		wantEqual(t, actions(t, s, ""), []string{"user.create", "user.create", "user.link"})

		link := &engine.LinkedIdentity{Issuer: "https://idp", Subject: "2", User: "ada", LinkedAt: noon}
		wantEqual(t, got(s.Identities(t.Context(), "ada"))(t), []*engine.LinkedIdentity{link})
		for hash, via := range map[string]string{"by": link.Issuer, "else": "password"} {
			must(t, s.CreateSession(t.Context(), &engine.Session{Hash: hash, User: "ada", Via: via, CreatedAt: noon, ExpiresAt: noon}, "", event("session.create", "")))
		}
		must(t, s.UnlinkUser(t.Context(), link, event("user.unlink", "")))
		wantKind(t, s.UnlinkUser(t.Context(), link, event("user.unlink", "")), engine.ErrNotFound)
		_, err = s.UserByIdentity(t.Context(), "https://idp", "2")
		wantKind(t, err, engine.ErrNotFound)
		wantEqual(t, got(s.Sessions(t.Context(), "ada"))(t)[0].Hash, "else")
		wantEqual(t, got(s.Identities(t.Context(), "bob"))(t)[0].Subject, "1")
	})
}

func TestDeviceIsAnsweredAndRedeemedOnce(t *testing.T) {
	eachDatabase(t, func(t *testing.T, s *store.Store) {
		newUser(t, s, "ada")
		d, later := device(), noon.Add(time.Second)
		must(t, s.CreateDevice(t.Context(), d, 1))
		wantEqual(t, got(s.DeviceByCode(t.Context(), d.Code, noon))(t), d)
		_, err := s.DeviceByCode(t.Context(), d.Code, d.ExpiresAt)
		wantKind(t, err, engine.ErrNotFound)

		wantEqual(t, got(s.PollDevice(t.Context(), d.Hash, later))(t), d)
		wantEqual(t, got(s.PollDevice(t.Context(), d.Hash, later))(t).PolledAt, later)
		token := &engine.Token{ID: "token-1", User: "ada", Hash: "t", CreatedAt: noon}
		wantKind(t, s.RedeemDevice(t.Context(), d.Hash, token, event("token.create", "")), engine.ErrNotFound)
		must(t, s.AnswerDevice(t.Context(), d.Code, engine.DeviceGranted, "ada", noon, event("device.granted", "")))
		wantKind(t, s.AnswerDevice(t.Context(), d.Code, engine.DeviceDenied, "bob", noon, event("device.denied", "")), engine.ErrNotFound)
		must(t, s.RedeemDevice(t.Context(), d.Hash, token, event("token.create", "")))
		wantKind(t, s.RedeemDevice(t.Context(), d.Hash, token, event("token.create", "")), engine.ErrNotFound)
		wantEqual(t, got(s.Tokens(t.Context(), "ada", engine.Page{}))(t), []*engine.Token{token})
	})
}

func TestOnlySoManyDevicesWait(t *testing.T) {
	eachDatabase(t, func(t *testing.T, s *store.Store) {
		d := device()
		must(t, s.CreateDevice(t.Context(), d, 2))
		wantKind(t, s.CreateDevice(t.Context(), d, 2), engine.ErrConflict) // the code is taken
		other := device()
		other.Hash, other.Code = "h2", "KJHGFDCB"
		wantKind(t, s.CreateDevice(t.Context(), other, 1), engine.ErrConflict)
		other.CreatedAt = d.ExpiresAt // the first one is forgotten by then
		must(t, s.CreateDevice(t.Context(), other, 1))
	})
}
