package sandbox

import (
	"os"
	"path/filepath"
	"slices"
	"syscall"
	"testing"
)

func TestNothingIsReadForAChildThatItCannotReadItself(t *testing.T) {
	dir, secret := t.TempDir(), filepath.Join(t.TempDir(), "secret")
	for _, err := range []error{
		os.WriteFile(secret, []byte("secret"), 0o600), os.WriteFile(filepath.Join(dir, "file"), []byte("plan"), 0o600),
		os.Symlink(secret, filepath.Join(dir, "link")), os.Symlink(filepath.Dir(secret), filepath.Join(dir, "folder")),
		syscall.Mkfifo(filepath.Join(dir, "pipe"), 0o600),
	} {
		if err != nil {
			t.Fatal(err)
		}
	}
	if b, err := ReadFile(dir, "file"); err != nil || string(b) != "plan" {
		t.Errorf("read %q, %v", b, err)
	}
	for _, name := range []string{"link", "folder/secret", "pipe", ".", "../secret"} {
		if b, err := ReadFile(dir, name); err == nil {
			t.Errorf("%s: read %q", name, b)
		}
	}
}

func TestNothingIsWrittenForAChildThatItCannotWriteItself(t *testing.T) {
	dir, outside := t.TempDir(), filepath.Join(t.TempDir(), "outside")
	if err := os.Symlink(outside, filepath.Join(dir, "settings")); err != nil {
		t.Fatal(err)
	}
	if err := os.Symlink(filepath.Dir(outside), filepath.Join(dir, "folder")); err != nil {
		t.Fatal(err)
	}
	if err := WriteFile(dir, "settings", []byte("ours")); err != nil {
		t.Error(err)
	}
	if err := WriteFile(dir, "folder/outside", []byte("ours")); err == nil {
		t.Error("written through a folder that leads out")
	}
	if _, err := os.Lstat(outside); err == nil {
		t.Error("written outside")
	}
	if b, err := ReadFile(dir, "settings"); err != nil || string(b) != "ours" {
		t.Errorf("read %q, %v", b, err)
	}
}

func TestUsersAreHadByOneStepAtATime(t *testing.T) {
	dir, two := t.TempDir(), Users{60800, 60801}
	first, lock, err := two.take(dir)
	if err != nil {
		t.Fatal(err)
	}
	second, other, err := two.take(dir)
	defer other.Close() // or the garbage collector does, before its time
	if err != nil || first == second {
		t.Errorf("users %d and %d, %v", first, second, err)
	}
	if third, _, err := two.take(dir); err == nil {
		t.Errorf("a third of two users is %d", third)
	}
	lock.Close()
	if again, _, err := two.take(dir); err != nil || again != first {
		t.Errorf("user %d, %v", again, err)
	}
}

func TestPortsThatAreOpened(t *testing.T) {
	texts := []string{"http://127.0.0.1:4566", "https://vault.example", "postgres://db/x", "http://169.254.169.254", "not a url", "eu-west-1", "https://h:99999", "a: b"}
	if got := PortsOfStack(texts); !slices.Equal(got, []int{4566, 443, 5432}) {
		t.Errorf("a stack opens %v", got)
	}
	for _, name := range []string{"HTTPS_PROXY", "HTTP_PROXY", "https_proxy", "http_proxy"} {
		t.Setenv(name, "")
	}
	t.Setenv("HTTPS_PROXY", "http://proxy:3128")
	if got := Ports("http://cloudops"); !slices.Equal(got, []int{80, 3128}) {
		t.Errorf("an operator opens %v", got)
	}
}
