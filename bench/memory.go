package main

import (
	"bufio"
	_ "embed"
	"errors"
	"fmt"
	"io"
	"path/filepath"
	"strings"
	"time"
)

// mix has wrk send what people and pages do.
//
//go:embed mix.lua
var mix string

// look is the server's memory after so many requests.
type look struct {
	sent int
	rss  float64 // MB
}

// memory watches the server's memory over 500,000 requests.
func (b *bench) memory() error {
	s, err := b.startWithRuns("memory", 1000)
	if err != nil {
		return err
	}
	defer s.stop()
	dir, err := b.folder("mix", map[string]string{"mix.lua": mix})
	if err != nil {
		return err
	}
	var newest struct{ Items []runJSON }
	if err := s.call("GET", "/v1/runs?limit=1", nil, &newest); err != nil {
		return err
	}
	looks, err := s.endure(filepath.Join(dir, "mix.lua"), newest.Items[0].ID)
	for _, l := range looks {
		b.add(fmt.Sprintf("memory after %d,000 requests", l.sent/1000), "MB", l.rss, 0, "", "")
	}
	if err != nil {
		return err
	}
	first, last := grown(looks)
	b.add("growth of memory by requests", "MB", last.rss-first.rss, 0, "no growth",
		fmt.Sprintf("from %d,000 requests to %d,000: lists, a stack, writes that come twice, and followers", first.sent/1000, last.sent/1000))
	return nil
}

// What the server endures, when its memory is looked at, and the time after
// which a slow machine has sent enough.
const (
	warmUp     = 20_000
	lookEvery  = 100_000
	endured    = 500_000
	enduredFor = 150 * time.Second
)

// endure sends the mix, with followers in between.
func (s *server) endure(script, run string) (looks []look, err error) {
	const piece, followers = 2 * time.Second, 50
	sent, next := 0, warmUp
	for began := time.Now(); sent < endured && time.Since(began) < enduredFor; {
		n, err := s.wrk("/", piece, "-s", script)
		if err != nil {
			return looks, err
		}
		for range followers {
			if err := s.glance(run); err != nil {
				return looks, err
			}
		}
		if sent += n + followers; sent >= next {
			looks = append(looks, look{sent, s.rss()})
			next = (sent/lookEvery + 1) * lookEvery
		}
	}
	if len(looks) == 0 || looks[len(looks)-1].sent != sent {
		looks = append(looks, look{sent, s.rss()})
	}
	return looks, nil
}

// grown gives the looks to compare: the last, and the first after the caches have
// filled, or after the warm-up where so little was sent.
func grown(looks []look) (first, last look) {
	first, last = looks[0], looks[len(looks)-1]
	if len(looks) > 2 {
		first = looks[1]
	}
	return first, last
}

// glance follows a run, which is not over, until it is told of its status, and
// goes away.
func (s *server) glance(run string) error {
	res, err := s.do("GET", "/v1/runs/"+run+"/events", nil)
	if err != nil {
		return err
	}
	defer res.Body.Close()
	for lines := bufio.NewReader(res.Body); ; {
		line, err := lines.ReadString('\n')
		switch {
		case strings.HasPrefix(line, "data:"):
			return nil
		case errors.Is(err, io.EOF):
			return fmt.Errorf("run %s: %s, and no event", run, res.Status)
		case err != nil:
			return err
		}
	}
}
