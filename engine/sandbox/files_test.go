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
	if got := (&Box{}).PortsOf(texts); !slices.Equal(got, []int{4566, 443, 5432}) {
		t.Errorf("a stack opens %v", got)
	}
	if got := (&Box{policy: Policy{Shut: []int{5432}}}).PortsOf(texts); !slices.Equal(got, []int{4566, 443}) {
		t.Errorf("a stack opens %v, the server's database among them", got)
	}
	for _, name := range []string{"HTTPS_PROXY", "HTTP_PROXY", "https_proxy", "http_proxy"} {
		t.Setenv(name, "")
	}
	t.Setenv("HTTPS_PROXY", "http://proxy:3128")
	if got := Ports("http://cloudops"); !slices.Equal(got, []int{80, 3128}) {
		t.Errorf("an operator opens %v", got)
	}
}

func TestPortsOfTheServersOwnServices(t *testing.T) {
	for text, want := range map[string][]int{
		"sqlite:///srv/cloudops.db": nil, "embedded": nil, "unix:///run/redis.sock": nil,
		"postgres://cloudops:s3cret@db/cloudops":                          {5432},
		"postgres://cloudops:1234@db:6432/cloudops":                       {6432},
		"postgres://one:5432,two:5433/cloudops?sslmode=require":           {5432, 5433},
		"rediss://:pw@cache":                                              {6379},
		"redis://[::1]:6380/0":                                            {6380},
		"redis-cluster://one:7000?addr=two:7001":                          {7000, 7001},
		"redis-sentinel://one:26379?addr=two:26380&master_name=main&db=1": {26379, 26380, 6379},
	} {
		if got := ServerPorts(text); !slices.Equal(got, want) {
			t.Errorf("%s: %v, want %v", text, got, want)
		}
	}
}

func must(t *testing.T, errs ...error) {
	t.Helper()
	for _, err := range errs {
		if err != nil {
			t.Fatal(err)
		}
	}
}
