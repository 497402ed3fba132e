package main

import (
	"fmt"
	"runtime"
	"strconv"
	"strings"
	"time"
)

// The graph that is measured: levels of so many components, each resting on one
// of the level before, each waiting as a cloud makes one wait.
const (
	graphLevels = 4
	graphWidth  = 5
)

const waitingModule = `variable "text" { type = string }
resource "terraform_data" "x" {
  input = var.text
  provisioner "local-exec" { command = "sleep %g" }
}
output "text" { value = var.text }
`

// graph times a stack of 20 components from its approval to its end. A long wait
// is what clouds make of it; a short one shows what each step costs.
func (b *bench) graph() error {
	s, err := b.start("graph", nil, "--concurrency", strconv.Itoa(graphWidth))
	if err != nil {
		return err
	}
	defer s.stop()
	for _, wait := range []float64{2, 0.2} {
		if err := b.graphOf(s, wait); err != nil {
			return err
		}
	}
	return nil
}

// graphOf compares with the bare applies on the longest path, and with those of
// all components, level by level, which share the processors as ours do.
func (b *bench) graphOf(s *server, wait float64) error {
	var ours, path, levels []float64
	for i := range 4 {
		name := fmt.Sprintf("graph%g-%d", wait*10, i) // a new one each time, so that all is made
		text := map[string]any{"text": "round " + strconv.Itoa(i)}
		if err := s.submit(name, graphStack(name, wait), text); err != nil {
			return err
		}
		took, err := s.applying(name)
		if err != nil {
			return err
		}
		alone, err := b.bareLevel(wait, 1)
		if err != nil {
			return err
		}
		beside, err := b.bareLevel(wait, graphWidth)
		if err != nil {
			return err
		}
		if i > 0 {
			ours, path, levels = append(ours, took.Seconds()), append(path, graphLevels*alone), append(levels, graphLevels*beside)
		}
	}
	name := fmt.Sprintf("20-component graph, %g s of waiting each", wait)
	b.add(name, "s", median(ours), median(path), "<= 1.15x", fmt.Sprintf("%d wide, %d deep, approval to end; bare: %d applies one after the other", graphWidth, graphLevels, graphLevels))
	b.add(name+", shared", "s", median(ours), median(levels), "", fmt.Sprintf("bare: %d applies at a time, level by level, on %d processors", graphWidth, runtime.NumCPU()))
	return nil
}

// bareLevel times so many bare applies at once, in seconds.
func (b *bench) bareLevel(wait float64, width int) (float64, error) {
	env, err := b.bareEnv()
	if err != nil {
		return 0, err
	}
	dirs := make([]string, width)
	for i := range dirs {
		if dirs[i], err = b.folder(fmt.Sprintf("graph-bare-%g-%d", wait, i), map[string]string{"main.tf": fmt.Sprintf(waitingModule, wait)}); err != nil {
			return 0, err
		}
		if _, err := bare(dirs[i], env, []string{"init", "-input=false"}, []string{"plan", "-input=false", "-replace=terraform_data.x", "-out=plan.bin", "-var=text=x"}); err != nil {
			return 0, err
		}
	}
	return together(width, width, func(i int) error {
		_, err := bare(dirs[i], env, []string{"apply", "-input=false", "plan.bin"})
		return err
	})
}

// graphStack describes the graph.
func graphStack(name string, wait float64) map[string]string {
	var text strings.Builder
	fmt.Fprintf(&text, "stack %q {\n  approval { auto_approve = \"always\" }\n}\nvariable \"text\" { type = string }\n", name)
	for level := range graphLevels {
		for i := range graphWidth {
			from := "var.text"
			if level > 0 {
				from = fmt.Sprintf("terraform.l%d_%d.outputs.text", level-1, i)
			}
			fmt.Fprintf(&text, "terraform \"l%d_%d\" {\n  source = \"./x\"\n  inputs = { text = %s }\n}\n", level, i, from)
		}
	}
	return map[string]string{"stack.hcl": text.String(), "x/main.tf": fmt.Sprintf(waitingModule, wait)}
}

// applying starts an apply and times it from its approval to its end.
func (s *server) applying(stack string) (time.Duration, error) {
	took, err := s.carry(stack, "apply")
	if err != nil {
		return 0, err
	}
	var run struct {
		ApprovedAt time.Time `json:"approved_at"`
		FinishedAt time.Time `json:"finished_at"`
	}
	err = s.call("GET", "/v1/runs/"+took.id, nil, &run)
	return run.FinishedAt.Sub(run.ApprovedAt), err
}
