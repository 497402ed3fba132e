package sandbox

import (
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"strconv"
	"strings"
	"syscall"
)

// Users is a range of user identifiers that nobody else on the machine has. The
// zero value is none.
type Users struct {
	First int `json:"first"`
	Last  int `json:"last"`
}

// ParseUsers reads a range as people write it, "60800-61099"; "" is none.
func ParseUsers(text string) (Users, error) {
	if text == "" {
		return Users{}, nil
	}
	first, last, _ := strings.Cut(text, "-")
	var u Users
	var err1, err2 error
	u.First, err1 = strconv.Atoi(first)
	u.Last, err2 = strconv.Atoi(last)
	if err1 != nil || err2 != nil {
		return u, fmt.Errorf("%q is no range of user identifiers, as in: 60800-61099", text)
	}
	return u, u.check()
}

// check refuses users that a step must not have.
func (u Users) check() error {
	if u != (Users{}) && (u.First < 1000 || u.Last < u.First) {
		return fmt.Errorf("users %d-%d: a range goes upwards, from 1000 on", u.First, u.Last)
	}
	return nil
}

// usersDir has a lock for each user that was in use. It is the machine's, not a
// worker's, as the users are.
const usersDir = "/run/cloudops-users"

// take takes a user that nobody has, by a lock that others can share.
func (u Users) take(dir string) (user int, lock *os.File, err error) {
	if err := os.MkdirAll(dir, 0o700); err != nil {
		return 0, nil, err
	}
	for user := u.First; user <= u.Last; user++ {
		f, err := lockUser(dir, user, syscall.LOCK_EX)
		if err == nil { // children hold it as well
			err = share(f)
		}
		if errors.Is(err, syscall.EWOULDBLOCK) {
			continue
		}
		return user, f, err
	}
	return 0, nil, fmt.Errorf("all users from %d to %d are in use; --sandbox-users gives more", u.First, u.Last)
}

func lockUser(dir string, user, how int) (*os.File, error) {
	f, err := os.OpenFile(userLock(dir, user), os.O_CREATE|os.O_RDWR, 0o600)
	if err != nil {
		return nil, err
	}
	if err := syscall.Flock(int(f.Fd()), how|syscall.LOCK_NB); err != nil {
		return nil, errors.Join(err, f.Close())
	}
	return f, nil
}

func userLock(dir string, user int) string { return filepath.Join(dir, strconv.Itoa(user)) }

// share turns the lock into one that others can hold, too, and closes it where
// somebody came in between.
func share(f *os.File) error {
	err := syscall.Flock(int(f.Fd()), syscall.LOCK_SH|syscall.LOCK_NB)
	if err != nil {
		_ = f.Close() // of no use
	}
	return err
}
