package api

import (
	"context"
	"errors"
	"testing"
	"time"

	"github.com/cloudops-manager/cloudops/api/client"
	"github.com/cloudops-manager/cloudops/engine"
)

// slowPasswords have something happen while a password is looked at, which
// takes a while.
type slowPasswords struct {
	plainPasswords
	meanwhile func()
}

func (p *slowPasswords) Verify(ctx context.Context, hash string, password engine.Secret) (bool, error) {
	right, err := p.plainPasswords.Verify(ctx, hash, password)
	if meanwhile := p.meanwhile; meanwhile != nil {
		p.meanwhile = nil
		meanwhile()
	}
	return right, err
}

// meanwhile makes passwords slow, and gives what an admin does meanwhile.
func (s *system) meanwhile(change client.UpdateUser) {
	s.access.Passwords = &slowPasswords{meanwhile: func() { s.ok(s.as(engine.RoleAdmin).UpdateUser(s.t.Context(), "operator", change)) }}
}

func TestWhoIsDisabledWhileChangingThePasswordStaysDisabled(t *testing.T) {
	s := newSystem(t)
	s.meanwhile(client.UpdateUser{Disabled: new(true)})
	err := s.access.ChangePassword(t.Context(), "operator", engine.PasswordChange{Old: password, New: "staple battery horse"})
	if u, read := s.store.User(t.Context(), "operator"); !errors.Is(err, engine.ErrUnauthorized) || read != nil || !u.Disabled || u.PasswordHash != password {
		t.Errorf("the change ends with %v, and the user is %+v, %v", err, u, read)
	}
}

func TestPasswordThatAnAdminHasGivenMeanwhileStays(t *testing.T) {
	s := newSystem(t)
	s.meanwhile(client.UpdateUser{Password: new("given by the admin")})
	err := s.access.ChangePassword(t.Context(), "operator", engine.PasswordChange{Old: password, New: "staple battery horse"})
	if u, read := s.store.User(t.Context(), "operator"); !errors.Is(err, engine.ErrUnauthorized) || read != nil || !u.MustChange || u.PasswordHash != "given by the admin" {
		t.Errorf("the change ends with %v, and the user is %+v, %v", err, u, read)
	}
}

func TestNobodyIsSignedInByWhatWasThePasswordWhenTheyAsked(t *testing.T) {
	for name, change := range map[string]client.UpdateUser{"another password": {Password: new("given by the admin")}, "disabled": {Disabled: new(true)}} {
		t.Run(name, func(t *testing.T) {
			s := newSystem(t)
			s.meanwhile(change)
			if _, _, err := s.access.Login(t.Context(), "operator", password); !errors.Is(err, engine.ErrUnauthorized) {
				t.Errorf("a browser: %v", err)
			}
			s = newSystem(t)
			s.meanwhile(change)
			if _, _, err := s.access.LoginToken(t.Context(), "operator", password, "laptop"); !errors.Is(err, engine.ErrUnauthorized) {
				t.Errorf("a command line: %v", err)
			}
		})
	}
}

// Guesses that come at once, from many addresses, all begin before the first is counted.
func TestGuessesThatBeganBeforeALockAreRefusedToo(t *testing.T) {
	s := newSystem(t)
	others := func() {
		for range 10 {
			_ = s.guess("operator", "wrong")
		}
	}
	s.access.Passwords = &slowPasswords{meanwhile: others}
	if _, _, err := s.access.Login(t.Context(), "operator", password); !errors.Is(err, engine.ErrUnauthorized) {
		t.Errorf("the right one of them: %v", err)
	}
	s.clock.add(time.Hour)
	s.access.Passwords = &slowPasswords{meanwhile: others}
	_, _, err := s.access.Login(t.Context(), "operator", "wrong")
	if u, read := s.store.User(t.Context(), "operator"); read != nil || u.Failures != 20 || !errors.Is(err, engine.ErrUnauthorized) {
		t.Errorf("a wrong one of them: %v, and the user is %+v, %v", err, u, read)
	}
}

// A code that was confirmed before its user was locked out lets nobody in after
// they are let in again.
func TestConfirmedCodesEndWithTheSessionsThatConfirmedThem(t *testing.T) {
	s := newSystem(t)
	ctx, admin := t.Context(), s.as(engine.RoleAdmin)
	for what, end := range map[string]func() error{
		"disabled": func() error {
			return errors.Join(admin.UpdateUser(ctx, "operator", client.UpdateUser{Disabled: new(true)}), admin.UpdateUser(ctx, "operator", client.UpdateUser{Disabled: new(false)}))
		},
		"signed out": func() error { return admin.EndSessions(ctx, "operator") },
		"unlinked": func() error {
			id := engine.SignOnIdentity{Issuer: "https://idp.example.com", Subject: "17"}
			s.ok(s.store.LinkUser(ctx, "operator", id, s.clock.now(), engine.Event{At: s.clock.now(), Actor: "operator", Action: "user.link"}))
			list, err := admin.SignOns(ctx, "operator")
			s.ok(err)
			return admin.Unlink(ctx, "operator", list[0].ID)
		},
	} {
		browser, err := s.signedIn("operator")
		s.ok(err)
		d, err := client.New(s.url, "").BeginDevice(ctx, "laptop")
		s.ok(err)
		s.ok(s.access.AnswerDevice(ctx, browser, d.UserCode, true))
		s.ok(end())
		if _, err := client.New(s.url, "").RedeemDevice(ctx, d.DeviceCode); deviceCode(err) != client.CodeDenied {
			t.Errorf("%s: it ends with %v", what, err)
		}
	}
}

// Two admins who disable each other would leave none.
func TestLastAdminsDoNotDisableEachOther(t *testing.T) {
	s := newSystem(t)
	s.ok(s.as(engine.RoleAdmin).CreateUser(t.Context(), client.CreateUser{Name: "eve", Roles: []string{"admin"}, Password: password, MustChange: new(false)}))
	errs := make(chan error)
	for _, name := range []string{"eve", "admin"} {
		go func() {
			boss := engine.Principal{User: "boss", Rights: engine.Everywhere(engine.RoleAdmin)}
			_, err := s.access.UpdateUser(t.Context(), boss, name, engine.UserChange{Disabled: new(true)})
			errs <- err
		}()
	}
	if first, second := <-errs, <-errs; (first == nil) == (second == nil) {
		t.Errorf("one ends with %v and the other with %v", first, second)
	}
}
