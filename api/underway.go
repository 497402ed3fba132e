package api

import (
	"net/http"
	"sync"
)

// maxUnderway is how many requests of one user may be under way at a time,
// streams included: more than people with many tabs and pipelines with one token
// have, and less than fills the memory.
const maxUnderway = 500

// underway counts the requests that each user has under way.
type underway struct {
	most int
	mu   sync.Mutex
	of   map[string]int // who has none is left out
}

func newUnderway() *underway { return &underway{most: maxUnderway, of: map[string]int{}} }

// enter counts a request until leave is called, and refuses one too many.
func (u *underway) enter(user string) (leave func(), err error) {
	u.mu.Lock()
	defer u.mu.Unlock()
	if u.of[user] >= u.most {
		return nil, problemOf(http.StatusTooManyRequests, "you have too many requests under way at a time; end some of those that follow something")
	}
	u.of[user]++
	return func() { u.leave(user) }, nil
}

func (u *underway) leave(user string) {
	u.mu.Lock()
	defer u.mu.Unlock()
	if u.of[user]--; u.of[user] == 0 {
		delete(u.of, user)
	}
}
