package main

import (
	"fmt"
	"strconv"
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
// one after the other in turns.
func (b *bench) small() error {
	s, err := b.start("small", nil)
	if err != nil {
		return err
	}
	defer s.stop()
	dir, err := b.folder("small-bare", map[string]string{"main.tf": smallModule})
	if err != nil {
		return err
	}
	env, err := b.bareEnv()
	if err != nil {
		return err
	}
	var client, own, cpu, bareWall, bareCPU []float64
	for i := range b.rounds + 2 {
		bareTook, err := bare(dir, env, cycle("text=round "+strconv.Itoa(i))...)
		if err != nil {
			return err
		}
		if err := s.submit("small", smallStack("small"), map[string]any{"text": "round " + strconv.Itoa(i)}); err != nil {
			return err
		}
		before := s.cpu()
		took, err := s.carry("small", "apply")
		if err != nil {
			return err
		}
		if i < 2 { // warm-up
			continue
		}
		client, own, cpu = append(client, took.client.Seconds()), append(own, took.own.Seconds()), append(cpu, s.cpu()-before)
		bareWall, bareCPU = append(bareWall, bareTook.wall), append(bareCPU, bareTook.cpu)
	}
	b.add("small run, as the client sees it", "s", median(client), median(bareWall), "<= 1.6x, <= 0.12 s more", "")
	b.add("small run, by its own stamps", "s", median(own), median(bareWall), "<= 1.6x", "")
	b.add("small run, beyond bare", "s", median(client)-median(bareWall), 0, "<= 0.12 s", "")
	b.add("small run, CPU of server and children", "s", median(cpu), median(bareCPU), "<= 0.32 s", "")
	return nil
}

// parallel times 20 small runs at once on two workers against a shell loop,
// two at a time.
func (b *bench) parallel() error {
	const n = 20
	s, err := b.start("parallel", nil, "--concurrency", "2")
	if err != nil {
		return err
	}
	defer s.stop()
	env, err := b.bareEnv()
	if err != nil {
		return err
	}
	var ours, bares []float64
	for round := range 3 {
		text := "round " + strconv.Itoa(round)
		_, err := together(n, n, func(i int) error {
			name := "par" + strconv.Itoa(i)
			return s.submit(name, smallStack(name), map[string]any{"text": text})
		})
		if err != nil {
			return err
		}
		took, err := together(n, n, func(i int) error { _, err := s.carry("par"+strconv.Itoa(i), "apply"); return err })
		if err != nil {
			return err
		}
		bareTook, err := together(n, 2, func(i int) error {
			dir, err := b.folder("par-bare"+strconv.Itoa(i), map[string]string{"main.tf": smallModule})
			if err == nil {
				_, err = bare(dir, env, cycle("text="+text)...)
			}
			return err
		})
		if err != nil {
			return err
		}
		if round > 0 {
			ours, bares = append(ours, took.Seconds()), append(bares, bareTook.Seconds())
		}
	}
	b.add("20 small runs at once, 2 workers", "s", median(ours), median(bares), "<= 1.4x", "bare: two at a time")
	return nil
}

// together does n things, at most width at a time, and times the whole.
func together(n, width int, do func(i int) error) (time.Duration, error) {
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
	return time.Since(began), nil
}
