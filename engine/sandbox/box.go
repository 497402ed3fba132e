package sandbox

import (
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"strconv"
	"strings"
)

// Box is what the children of one attempt at a step have in common: their walls,
// and the user that they run as.
type Box struct {
	policy Policy
	user   int      // 0 is ours
	lock   *os.File // of the user; nil where it is ours
	dir    string
}

// Open makes a box. The folder is for its own files, and no child may write there;
// home is where a child's user has its home, as far as it can be had.
func (p Policy) Open(dir, home string) (*Box, error) {
	b := &Box{policy: p, dir: dir}
	if p.Bubblewrap == "" {
		return b, nil
	}
	if p.Users != (Users{}) {
		var err error
		if b.user, b.lock, err = p.Users.take(usersDir); err != nil {
			return nil, fmt.Errorf("user of the step: %w", err)
		}
	}
	return b, b.writeAccount(home)
}

// Left is the box of children that a runner before left running. It starts none.
func (p Policy) Left() *Box { return &Box{policy: p} }

// Close gives the user back, once nothing runs as it.
func (b *Box) Close() {
	if b != nil && b.lock != nil {
		_ = b.lock.Close() // which unlocks
	}
}

// Hold names the lock files that a child holds for as long as it lives.
func (b *Box) Hold() []string {
	if b.lock == nil {
		return nil
	}
	return []string{b.lock.Name()}
}

// Namespaced reports whether all that a child starts ends with it.
func (b *Box) Namespaced() bool { return b.policy.Bubblewrap != "" }

// Walled reports whether there are walls around a child.
func (b *Box) Walled() bool { return b.policy.up() }

// Needs is what a child uses of the machine besides what all programs do.
type Needs struct {
	Read    []string // files and folders, with all in them
	Write   []string // folders, which are the step's user's from Give on
	Connect []int    // TCP ports
	Tmp     string   // the one of Write that is its /tmp, where it has one of its own
}

// Walls are those around a child.
func (b *Box) Walls(n Needs) Walls {
	w := b.policy.Walls(n.Read, n.Write, n.Connect)
	w.User = b.user
	if w.Bubblewrap != "" {
		w.Tmp, w.Account = n.Tmp, b.account()
	}
	return w
}

// Give makes the child's user the owner of all that is in the folders: of what a
// user before left there, too, for without its powers root is a stranger to that.
func (b *Box) Give(dirs ...string) error {
	if os.Geteuid() != 0 || !b.policy.up() {
		return nil
	}
	return own(b.user, dirs)
}

// Take makes us the owner of all that is in the folders.
func (b *Box) Take(dirs ...string) error {
	if b.user == 0 {
		return nil
	}
	return own(0, dirs)
}

func (b *Box) account() string { return filepath.Join(b.dir, "passwd") }

// writeAccount names the child's user, without which SSH does not start, and
// gives it the home, which SSH and Ansible go by more than by HOME.
func (b *Box) writeAccount(home string) error {
	user := b.user
	if user == 0 {
		user = os.Getuid()
	}
	all, err := os.ReadFile("/etc/passwd")
	if err != nil && !errors.Is(err, os.ErrNotExist) {
		return err
	}
	return os.WriteFile(b.account(), withAccount(string(all), user, home), 0o644)
}

// withAccount is the text of an /etc/passwd in which the user has the home.
// Source: passwd(5).
func withAccount(passwd string, user int, home string) []byte {
	id := strconv.Itoa(user)
	name, group := "cloudops-step", id
	var b strings.Builder
	for line := range strings.Lines(passwd) {
		if fields := strings.Split(line, ":"); len(fields) > 3 && fields[2] == id {
			name, group = fields[0], fields[3]
			continue
		}
		b.WriteString(line)
	}
	fmt.Fprintf(&b, "%s:x:%s:%s:step:%s:/bin/sh\n", name, id, group, home)
	return []byte(b.String())
}
