package main

import (
	"fmt"
	"strconv"
	"strings"
	"sync"
	"time"
)

const smallModule = `variable "text" { type = string }
resource "terraform_data" "x" {
  count = 10
  input = "${var.text} ${count.index}"
}
`

// smallStack is a stack of ten built-in resources that is applied unasked.
func smallStack(name string) map[string]string {
	return map[string]string{
		"stack.hcl": fmt.Sprintf(`stack %q {
  approval { auto_approve = "always" }
}
variable "text" { type = string }
terraform "x" {
  source = "./x"
  inputs = { text = var.text }
}
`, name),
		"x/main.tf": smallModule,
	}
}

// small times plan and apply of ten terraform_data against the bare commands,
// one after the other in turns: within walls, which the bare ones have not, and
// without.
func (b *bench) small() error {
	if err := b.smallRuns("small run"); err != nil {
		return err
	}
	return b.smallRuns("small run without walls", "--sandbox", "off")
}

func (b *bench) smallRuns(what string, args ...string) error {
	s, err := b.start(strings.ReplaceAll(what, " ", "-"), nil, args...)
	if err != nil {
		return err
	}
	defer s.stop()
	dir, err := b.folder(strings.ReplaceAll(what, " ", "-")+"-bare", map[string]string{"main.tf": smallModule})
	if err != nil {
		return err
	}
	env, err := b.bareEnv()
	if err != nil {
		return err
	}
	var own []float64
	var ours, bares costs
	for i := range b.rounds + 2 {
		bareTook, err := bare(dir, env, cycle("text=round "+strconv.Itoa(i))...)
		if err != nil {
			return err
		}
		if err := s.submit("small", smallStack("small"), map[string]any{"text": "round " + strconv.Itoa(i)}); err != nil {
			return err
		}
		var took runTimes
		used, err := s.spent(func() (err error) { took, err = s.carry("small", "apply"); return err })
		if err != nil {
			return err
		}
		if i < 2 { // warm-up
			continue
		}
		own = append(own, took.own.Seconds())
		ours.add(cost{took.client.Seconds(), used})
		bares.add(bareTook)
	}
	b.add(what+", as the client sees it", "s", median(ours.wall), median(bares.wall), "<= 1.6x, <= 0.12 s more", "")
	b.add(what+", by its own stamps", "s", median(own), median(bares.wall), "<= 1.6x", "")
	b.add(what+", beyond bare", "s", median(ours.wall)-median(bares.wall), 0, "<= 0.12 s", "")
	b.add(what+", CPU of server and children", "s", median(ours.cpu), median(bares.cpu), "<= 0.32 s", "")
	return nil
}

// parallel times 20 small runs at once on two workers against a shell loop,
// two at a time.
func (b *bench) parallel() error {
	if err := b.parallelRuns("20 small runs at once"); err != nil {
		return err
	}
	return b.parallelRuns("20 small runs at once without walls", "--sandbox", "off")
}

func (b *bench) parallelRuns(what string, args ...string) error {
	s, err := b.start(strings.ReplaceAll(what, " ", "-"), nil, append(args, "--concurrency", "2")...)
	if err != nil {
		return err
	}
	defer s.stop()
	env, err := b.bareEnv()
	if err != nil {
		return err
	}
	var ours, bares costs
	for round := range 3 {
		text := "round " + strconv.Itoa(round)
		took, err := s.atOnce(text)
		if err != nil {
			return err
		}
		bareTook, err := b.bareAtOnce(text, env)
		if err != nil {
			return err
		}
		if round > 0 { // the first warms up
			ours.add(took)
			bares.add(bareTook)
		}
	}
	b.add(what+", 2 workers", "s", median(ours.wall), median(bares.wall), "<= 1.4x", "bare: two at a time")
	b.add(what+", CPU", "s", median(ours.cpu), median(bares.cpu), "", "")
	return nil
}

// atOnceRuns is how many runs are started at once.
const atOnceRuns = 20

// atOnce carries a run of each of 20 stacks.
func (s *server) atOnce(text string) (took cost, err error) {
	name := func(i int) string { return "par" + strconv.Itoa(i) }
	if _, err = together(atOnceRuns, atOnceRuns, func(i int) error {
		return s.submit(name(i), smallStack(name(i)), map[string]any{"text": text})
	}); err != nil {
		return took, err
	}
	took.cpu, err = s.spent(func() (err error) {
		took.wall, err = together(atOnceRuns, atOnceRuns, func(i int) error { _, err := s.carry(name(i), "apply"); return err })
		return err
	})
	return took, err
}

// bareAtOnce does the same by bare commands, two at a time.
func (b *bench) bareAtOnce(text string, env []string) (took cost, err error) {
	var cpu [atOnceRuns]float64
	took.wall, err = together(atOnceRuns, 2, func(i int) error {
		dir, err := b.folder("par-bare"+strconv.Itoa(i), map[string]string{"main.tf": smallModule})
		if err != nil {
			return err
		}
		one, err := bare(dir, env, cycle("text="+text)...)
		cpu[i] = one.cpu
		return err
	})
	for _, c := range cpu {
		took.cpu += c
	}
	return took, err
}

// together does n things, at most width at a time, and times the whole, in
// seconds.
func together(n, width int, do func(i int) error) (float64, error) {
	began := time.Now()
	var wg sync.WaitGroup
	errs := make(chan error, n)
	slots := make(chan struct{}, width)
	for i := range n {
		wg.Go(func() {
			slots <- struct{}{}
			defer func() { <-slots }()
			errs <- do(i)
		})
	}
	wg.Wait()
	close(errs)
	for err := range errs {
		if err != nil {
			return 0, err
		}
	}
	return time.Since(began).Seconds(), nil
}
