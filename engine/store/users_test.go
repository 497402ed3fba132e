package store_test

import (
	"testing"
	"time"

	"golang.org/x/sync/errgroup"

	"github.com/cloudops-manager/cloudops/engine"
	"github.com/cloudops-manager/cloudops/engine/store"
)

func newUser(t testing.TB, s *store.Store, name string) *engine.User {
	t.Helper()
	u := &engine.User{}
	new(filler).fill(u)
	u.Name, u.Directory, u.Kind, u.Disabled = name, 0, engine.Person, false
	must(t, s.CreateUser(t.Context(), u, []engine.Role{engine.RoleApprover}, event("user.create", "")))
	return u
}

func TestUserKeepsEveryField(t *testing.T) {
	eachDatabase(t, func(t *testing.T, s *store.Store) {
		want := newUser(t, s, "zoe")
		wantEqual(t, got(s.User(t.Context(), "zoe"))(t), want)
		want.Disabled, want.PasswordHash = true, ""
		want.MustChange, want.Owner, want.Failures, want.LockedUntil = false, "ada", 0, time.Time{}
		wantEqual(t, got(s.UpdateUser(t.Context(), "zoe", becomes(want, engine.Ends{Lock: true})))(t), want)
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
		_, err = s.UpdateUser(t.Context(), "none", becomes(&engine.User{}, engine.Ends{}))
		wantKind(t, err, engine.ErrNotFound)
		wantKind(t, s.DeleteToken(t.Context(), "token-1", event("d", "")), engine.ErrNotFound)
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
		must(t, s.CreateToken(t.Context(), want, "", event("token.create", "")))
		wantEqual(t, got(s.Tokens(t.Context(), "ada", engine.Page{}))(t), []*engine.Token{want})
		wantEqual(t, got(s.Tokens(t.Context(), "bob", engine.Page{}))(t), []*engine.Token{})

		token, user, err := s.TokenUser(t.Context(), want.Hash)
		must(t, err)
		wantEqual(t, token, want)
		wantEqual(t, []any{user.Name, user.Directory, user.Disabled}, []any{ada.Name, got(s.DirectoryVersion(t.Context()))(t), ada.Disabled})

		must(t, s.TouchToken(t.Context(), want.ID, noon.Add(time.Hour), "192.0.2.7"))
		wantEqual(t, got(s.Tokens(t.Context(), "ada", engine.Page{}))(t)[0].UsedFrom, "192.0.2.7")
		wantEqual(t, got(s.Tokens(t.Context(), "ada", engine.Page{}))(t)[0].UsedAt, noon.Add(time.Hour))
		wantEqual(t, got(s.Token(t.Context(), want.ID))(t).UsedFrom, "192.0.2.7")
		must(t, s.DeleteToken(t.Context(), want.ID, event("token.delete", "")))
		_, _, err = s.TokenUser(t.Context(), want.Hash)
		wantKind(t, err, engine.ErrNotFound)
		_, err = s.Token(t.Context(), want.ID)
		wantKind(t, err, engine.ErrNotFound)
	})
}

func TestTokenMayLastForever(t *testing.T) {
	eachDatabase(t, func(t *testing.T, s *store.Store) {
		newUser(t, s, "ada")
		want := &engine.Token{ID: "token-1", User: "ada", Hash: "h", CreatedAt: noon}
		must(t, s.CreateToken(t.Context(), want, "", event("token.create", "")))
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
		must(t, s.CreateSession(t.Context(), want, "", event("session.create", "")))
		session, user, err := s.SessionUser(t.Context(), want.Hash)
		must(t, err)
		wantEqual(t, session, want)
		wantEqual(t, []any{user.Name, user.Directory, user.Disabled}, []any{ada.Name, got(s.DirectoryVersion(t.Context()))(t), ada.Disabled})
		wantEqual(t, got(s.Sessions(t.Context(), "ada"))(t), []*engine.Session{want})
		must(t, s.TouchSession(t.Context(), want.Hash, noon.Add(time.Hour), "192.0.2.7"))
		seen := got(s.Sessions(t.Context(), "ada"))(t)[0]
		wantEqual(t, []any{seen.SeenAt, seen.Address}, []any{noon.Add(time.Hour), "192.0.2.7"})
		wantEqual(t, got(s.DeleteSessions(t.Context(), "bob", "", event("s", "")))(t), 0)
		wantEqual(t, got(s.DeleteSessions(t.Context(), "ada", want.Hash[:4], event("s", "")))(t), 1)
		_, _, err = s.SessionUser(t.Context(), want.Hash)
		wantKind(t, err, engine.ErrNotFound)
	})
}

func TestExpiredSessionsGo(t *testing.T) {
	eachDatabase(t, func(t *testing.T, s *store.Store) {
		newUser(t, s, "ada")
		for hash, expires := range map[string]time.Time{"old": noon, "new": noon.Add(time.Second)} {
			must(t, s.CreateSession(t.Context(), &engine.Session{Hash: hash, User: "ada", CreatedAt: noon, ExpiresAt: expires}, "", event("s", "")))
		}
		must(t, s.DeleteExpiredSessions(t.Context(), noon))
		_, _, err := s.SessionUser(t.Context(), "old")
		wantKind(t, err, engine.ErrNotFound)
		_, _, err = s.SessionUser(t.Context(), "new")
		must(t, err)
	})
}

func TestWhatEndsWithAChangeOfItsUser(t *testing.T) {
	eachDatabase(t, func(t *testing.T, s *store.Store) {
		ada := newUser(t, s, "ada")
		must(t, s.CreateSession(t.Context(), &engine.Session{Hash: "s", User: "ada", CreatedAt: noon, ExpiresAt: noon}, "", event("s", "")))
		must(t, s.CreateToken(t.Context(), &engine.Token{ID: "token-1", User: "ada", Hash: "h", CreatedAt: noon}, "", event("t", "")))
		must(t, s.CreateDevice(t.Context(), device(), 1))
		must(t, s.AnswerDevice(t.Context(), device().Code, engine.DeviceGranted, "ada", noon, event("d", "")))
		got(s.UpdateUser(t.Context(), "ada", becomes(ada, engine.Ends{})))(t)
		got(s.PollDevice(t.Context(), device().Hash, noon))(t)
		wantEqual(t, len(got(s.Sessions(t.Context(), "ada"))(t)), 1)
		got(s.UpdateUser(t.Context(), "ada", becomes(ada, engine.Ends{Sessions: true, Tokens: true})))(t)
		wantEqual(t, len(got(s.Sessions(t.Context(), "ada"))(t)), 0)
		wantEqual(t, len(got(s.Tokens(t.Context(), "ada", engine.Page{}))(t)), 0)
		wantEqual(t, got(s.User(t.Context(), "ada"))(t).Failures, ada.Failures)
		wantEqual(t, got(s.PollDevice(t.Context(), device().Hash, noon))(t).Status, engine.DeviceDenied)
	})
}

// becomes is a change that makes a user what is wanted.
func becomes(want *engine.User, ends engine.Ends) func(*engine.User, *engine.Directory) (engine.Ends, engine.Event, error) {
	return func(u *engine.User, _ *engine.Directory) (engine.Ends, engine.Event, error) {
		*u = *want
		return ends, event("user.update", ""), nil
	}
}

func TestNobodyIsLetInByAPasswordThatHasGone(t *testing.T) {
	eachDatabase(t, func(t *testing.T, s *store.Store) {
		ada := newUser(t, s, "ada")
		enter := func(hash string) (session, token error) {
			session = s.CreateSession(t.Context(), &engine.Session{Hash: engine.NewID("h", noon), User: "ada", CreatedAt: noon, ExpiresAt: noon}, hash, event("s", ""))
			id := engine.NewID("tok", noon)
			return session, s.CreateToken(t.Context(), &engine.Token{ID: id, User: "ada", Hash: id, CreatedAt: noon}, hash, event("t", ""))
		}
		session, token := enter(ada.PasswordHash)
		must(t, session)
		must(t, token)
		session, token = enter("the one before")
		wantKind(t, session, engine.ErrNotFound)
		wantKind(t, token, engine.ErrNotFound)
		ada.Disabled = true
		got(s.UpdateUser(t.Context(), "ada", becomes(ada, engine.Ends{})))(t)
		session, _ = enter("")
		wantKind(t, session, engine.ErrNotFound)
		_, token = enter(ada.PasswordHash)
		wantKind(t, token, engine.ErrNotFound)
	})
}

// Two changes at the same time, at two servers, both hold.
func TestChangesOfAUserWaitForEachOther(t *testing.T) {
	eachDatabase(t, func(t *testing.T, s *store.Store) {
		newUser(t, s, "ada")
		var group errgroup.Group
		for _, change := range []func(*engine.User){
			func(u *engine.User) { u.Disabled = true }, func(u *engine.User) { u.PasswordHash = "new" }, func(u *engine.User) { u.Owner = "bob" }, func(u *engine.User) { u.MustChange = false },
		} {
			group.Go(func() error {
				_, err := s.UpdateUser(t.Context(), "ada", func(u *engine.User, _ *engine.Directory) (engine.Ends, engine.Event, error) {
					change(u)
					return engine.Ends{}, event("user.update", ""), nil
				})
				return err
			})
		}
		must(t, group.Wait())
		ada := got(s.User(t.Context(), "ada"))(t)
		wantEqual(t, []any{ada.Disabled, ada.PasswordHash, ada.Owner, ada.MustChange}, []any{true, "new", "bob", false})
	})
}

// Guesses that come at the same time, at several servers, are all counted.
func TestWrongPasswordsAreCountedTogether(t *testing.T) {
	eachDatabase(t, func(t *testing.T, s *store.Store) {
		must(t, s.CreateUser(t.Context(), &engine.User{Name: "ada", CreatedAt: noon}, nil, event("u", "")))
		until := noon.Add(time.Hour)
		follows := func(failures int) (time.Time, []engine.Event) {
			if failures < 8 {
				return time.Time{}, []engine.Event{event("session.refused", "")}
			}
			return until, []engine.Event{event("user.lock", "")}
		}
		var group errgroup.Group
		for range 8 {
			group.Go(func() error { return s.CountFailure(t.Context(), "ada", follows) })
		}
		must(t, group.Wait())
		u := got(s.User(t.Context(), "ada"))(t)
		wantEqual(t, []any{u.Failures, u.LockedUntil}, []any{8, until})
		wantEqual(t, got(s.ClearFailures(t.Context(), "ada", noon))(t), false)
		wantEqual(t, got(s.ClearFailures(t.Context(), "ada", until))(t), true)
		u = got(s.User(t.Context(), "ada"))(t)
		wantEqual(t, []any{u.Failures, u.LockedUntil}, []any{0, time.Time{}})
		wantKind(t, s.CountFailure(t.Context(), "none", follows), engine.ErrNotFound)
	})
}
