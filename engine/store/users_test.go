package store_test

import (
	"testing"
	"time"

	"github.com/cloudops-manager/cloudops/engine"
	"github.com/cloudops-manager/cloudops/engine/store"
)

func newUser(t testing.TB, s *store.Store, name string) *engine.User {
	t.Helper()
	u := &engine.User{}
	new(filler).fill(u)
	u.Name, u.Directory = name, 0
	must(t, s.CreateUser(t.Context(), u, []engine.Role{engine.RoleApprover}, event("user.create", "")))
	return u
}

func TestUserKeepsEveryField(t *testing.T) {
	eachDatabase(t, func(t *testing.T, s *store.Store) {
		want := newUser(t, s, "zoe")
		wantEqual(t, got(s.User(t.Context(), "zoe"))(t), want)
		want.Disabled, want.PasswordHash = true, ""
		must(t, s.UpdateUser(t.Context(), want, event("user.update", "")))
		ada := newUser(t, s, "ada")
		wantEqual(t, got(s.Users(t.Context(), engine.Page{}))(t), []*engine.User{ada, want})
		wantEqual(t, actions(t, s, ""), []string{"user.create", "user.update", "user.create"})
	})
}

func TestUserNameIsTakenOnce(t *testing.T) {
	eachDatabase(t, func(t *testing.T, s *store.Store) {
		u := newUser(t, s, "ada")
		wantKind(t, s.CreateUser(t.Context(), u, []engine.Role{engine.RoleApprover}, event("user.create", "")), engine.ErrConflict)
		wantEqual(t, actions(t, s, ""), []string{"user.create"})
	})
}

func TestUserThatIsMissing(t *testing.T) {
	eachDatabase(t, func(t *testing.T, s *store.Store) {
		_, err := s.User(t.Context(), "none")
		wantKind(t, err, engine.ErrNotFound)
		wantKind(t, s.UpdateUser(t.Context(), &engine.User{Name: "none"}, event("u", "")), engine.ErrNotFound)
		wantKind(t, s.DeleteToken(t.Context(), "token-1", "", event("d", "")), engine.ErrNotFound)
		_, _, err = s.TokenUser(t.Context(), "hash")
		wantKind(t, err, engine.ErrNotFound)
		_, _, err = s.SessionUser(t.Context(), "hash")
		wantKind(t, err, engine.ErrNotFound)
	})
}

func TestTokenKeepsEveryFieldAndFindsItsUser(t *testing.T) {
	eachDatabase(t, func(t *testing.T, s *store.Store) {
		ada := newUser(t, s, "ada")
		newUser(t, s, "bob")
		want := &engine.Token{}
		new(filler).fill(want)
		want.User = "ada"
		must(t, s.CreateToken(t.Context(), want, event("token.create", "")))
		wantEqual(t, got(s.Tokens(t.Context(), "ada", engine.Page{}))(t), []*engine.Token{want})
		wantEqual(t, got(s.Tokens(t.Context(), "bob", engine.Page{}))(t), []*engine.Token{})

		token, user, err := s.TokenUser(t.Context(), want.Hash)
		must(t, err)
		wantEqual(t, token, want)
		wantEqual(t, []any{user.Name, user.Directory, user.Disabled}, []any{ada.Name, got(s.DirectoryVersion(t.Context()))(t), ada.Disabled})

		must(t, s.TouchToken(t.Context(), want.ID, noon.Add(time.Hour)))
		wantEqual(t, got(s.Tokens(t.Context(), "ada", engine.Page{}))(t)[0].UsedAt, noon.Add(time.Hour))
		wantKind(t, s.DeleteToken(t.Context(), want.ID, "bob", event("token.delete", "")), engine.ErrNotFound)
		must(t, s.DeleteToken(t.Context(), want.ID, "ada", event("token.delete", "")))
		_, _, err = s.TokenUser(t.Context(), want.Hash)
		wantKind(t, err, engine.ErrNotFound)
	})
}

func TestTokenMayLastForever(t *testing.T) {
	eachDatabase(t, func(t *testing.T, s *store.Store) {
		newUser(t, s, "ada")
		want := &engine.Token{ID: "token-1", User: "ada", Hash: "h", CreatedAt: noon}
		must(t, s.CreateToken(t.Context(), want, event("token.create", "")))
		token, _, err := s.TokenUser(t.Context(), "h")
		must(t, err)
		wantEqual(t, token, want)
	})
}

func TestSessionKeepsEveryFieldAndFindsItsUser(t *testing.T) {
	eachDatabase(t, func(t *testing.T, s *store.Store) {
		ada := newUser(t, s, "ada")
		want := &engine.Session{}
		new(filler).fill(want)
		want.User = "ada"
		must(t, s.CreateSession(t.Context(), want, event("session.create", "")))
		session, user, err := s.SessionUser(t.Context(), want.Hash)
		must(t, err)
		wantEqual(t, session, want)
		wantEqual(t, []any{user.Name, user.Directory, user.Disabled}, []any{ada.Name, got(s.DirectoryVersion(t.Context()))(t), ada.Disabled})
		must(t, s.DeleteSession(t.Context(), want.Hash))
		_, _, err = s.SessionUser(t.Context(), want.Hash)
		wantKind(t, err, engine.ErrNotFound)
	})
}

func TestExpiredSessionsGo(t *testing.T) {
	eachDatabase(t, func(t *testing.T, s *store.Store) {
		newUser(t, s, "ada")
		for hash, expires := range map[string]time.Time{"old": noon, "new": noon.Add(time.Second)} {
			must(t, s.CreateSession(t.Context(), &engine.Session{Hash: hash, User: "ada", CreatedAt: noon, ExpiresAt: expires}, event("s", "")))
		}
		must(t, s.DeleteExpiredSessions(t.Context(), noon))
		_, _, err := s.SessionUser(t.Context(), "old")
		wantKind(t, err, engine.ErrNotFound)
		_, _, err = s.SessionUser(t.Context(), "new")
		must(t, err)
	})
}
