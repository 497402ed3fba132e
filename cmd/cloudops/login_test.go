package main

import (
	"path/filepath"
	"strings"
	"testing"
)

func TestExpiredTokenIsRenewedWhereItIsFrom(t *testing.T) {
	s := startServer(t)
	t.Setenv("XDG_CONFIG_HOME", s.config)
	if err := writeLogin(login{Server: s.url, Token: "cop_old"}); err != nil {
		t.Fatal(err)
	}
	if out := s.cliCode(t, 1, "stack", "list"); !strings.HasSuffix(out, "\nsign in with: cloudops login\n") {
		t.Errorf("a refused token ends with %q", out)
	}
	if out := s.cliCode(t, 1, "stack", "list", "--server", s.url+"/"); !strings.HasSuffix(out, "\nsign in with: cloudops login --server "+s.url+"/\n") {
		t.Errorf("with another server named it ends with %q", out)
	}
	if out := s.cli(t, testPassword, "login"); !strings.Contains(out, "signed in to "+s.url+" as admin") {
		t.Errorf("signing in again says %q", out)
	}
	s.cli(t, "", "stack", "list")
	s.cli(t, "", "stack", "list", "--server", s.url+"/")
}

func TestRefusedPasswordIsNotAnsweredWithSigningIn(t *testing.T) {
	s := startServer(t)
	s.config = filepath.Join(s.dir, "nobody")
	t.Setenv("CLOUDOPS_SERVER", s.url)
	if out := s.command(t, 1, "wrong", "login"); strings.Contains(out, "sign in with") {
		t.Errorf("a wrong password ends with %q", out)
	}
}
