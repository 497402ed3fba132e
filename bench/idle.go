package main

import (
	"strconv"
	"time"
)

// idle takes the times to ready, and the memory and CPU of a server that does
// nothing. The first start of a server makes its schema, keys and administrator.
func (b *bench) idle() error {
	const starts = 5
	var first, later []float64
	for i := range starts {
		for _, times := range []*[]float64{&first, &later} {
			s, err := b.start("idle"+strconv.Itoa(i), nil)
			if err != nil {
				return err
			}
			*times = append(*times, float64(s.ready.Milliseconds()))
			if len(later) == starts {
				err = b.rest(s)
			}
			s.stop()
			if err != nil {
				return err
			}
		}
	}
	b.add("started to ready, first start", "ms", median(first), 0, "<= 300 ms", "makes schema, keys and administrator")
	b.add("started to ready, later starts", "ms", median(later), 0, "<= 300 ms", "")
	return nil
}

// rest leaves the server in peace for a while.
func (b *bench) rest(s *server) error {
	const length = 10 * time.Second
	used, err := s.spent(func() error { time.Sleep(length); return nil })
	b.add("idle memory of serve", "MB", s.rss(), 0, "<= 70 MB", "")
	b.add("idle CPU of serve", "%", used/length.Seconds()*100, 0, "", "of one core, over 10 s")
	return err
}
