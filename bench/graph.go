package main

import (
	"fmt"
	"strconv"
	"strings"
	"time"
)

// The graph that is measured: levels of so many components, each resting on one
// of the level before, each waiting as a cloud makes one wait.
const (
	graphLevels = 4
	graphWidth  = 5
	graphWait   = 2 // seconds
)

const waitingModule = `variable "text" { type = string }
resource "terraform_data" "x" {
  input = var.text
  provisioner "local-exec" { command = "sleep %d" }
}
output "text" { value = var.text }
`

// graph times a stack of 20 components from its approval to its end against the
// bare applies on its longest path.
func (b *bench) graph() error {
	s, err := b.start("graph", nil, "--concurrency", strconv.Itoa(graphWidth))
	if err != nil {
		return err
	}
	defer s.stop()
	dir, err := b.folder("graph-bare", map[string]string{"main.tf": fmt.Sprintf(waitingModule, graphWait)})
	if err != nil {
		return err
	}
	env, err := b.bareEnv()
	if err != nil {
		return err
	}
	var ours, bares []float64
	for i := range 4 {
		text := "round " + strconv.Itoa(i)
		vars := "-var=text=" + text
		if _, err := bare(dir, env, []string{"init", "-input=false"}, []string{"plan", "-input=false", "-replace=terraform_data.x", "-out=plan.bin", vars}); err != nil {
			return err
		}
		bareTook, err := bare(dir, env, []string{"apply", "-input=false", "plan.bin"})
		if err != nil {
			return err
		}
		name := "graph" + strconv.Itoa(i) // a new one each time, so that all is made
		if err := s.submit(name, graphStack(name), map[string]any{"text": text}); err != nil {
			return err
		}
		took, err := s.applying(name)
		if err != nil {
			return err
		}
		if i > 0 {
			ours, bares = append(ours, took.Seconds()), append(bares, graphLevels*bareTook.wall)
		}
	}
	note := fmt.Sprintf("%d wide, %d deep, %d s of waiting each; bare: %d applies one after the other", graphWidth, graphLevels, graphWait, graphLevels)
	b.add("20-component graph, approval to end", "s", median(ours), median(bares), "<= 1.15x", note)
	return nil
}

// graphStack describes the graph.
func graphStack(name string) map[string]string {
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
	return map[string]string{"stack.hcl": text.String(), "x/main.tf": fmt.Sprintf(waitingModule, graphWait)}
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

// The output of the first is known when planning, that of the second once it is
// applied.
const (
	aheadModule = awsProvider + `variable "name" { type = string }
resource "aws_ssm_parameter" "x" {
  name  = "/bench/${var.name}"
  type  = "String"
  value = var.name
}
output "name" { value = "${var.name}-next" }
`
	lateModule = awsProvider + `variable "name" { type = string }
resource "aws_ssm_parameter" "x" {
  name  = "/bench/${var.name}"
  type  = "String"
  value = var.name
}
output "name" { value = trimprefix("${aws_ssm_parameter.x.arn}-next", "arn:aws:ssm:eu-west-1:123456789012:parameter/bench/") }
`
)

// ahead times three levels of AWS resources that are planned before any of them
// exists against the same ones planned level by level.
func (b *bench) ahead() error {
	s, _, stop, err := b.startAWS("ahead")
	if err != nil {
		return err
	}
	defer stop()
	var known, unknown []float64
	for i := range 4 {
		a, err := s.levels("ahead"+strconv.Itoa(i), aheadModule)
		if err != nil {
			return err
		}
		l, err := s.levels("late"+strconv.Itoa(i), lateModule)
		if err != nil {
			return err
		}
		if i > 0 {
			known, unknown = append(known, a.Seconds()), append(unknown, l.Seconds())
		}
	}
	b.add("three levels planned ahead, approval to end", "s", median(known), median(unknown), "", "bare: the same, planned level by level")
	return nil
}

// levels applies three components in a row.
func (s *server) levels(name, module string) (time.Duration, error) {
	stack := fmt.Sprintf(`stack %[1]q {
  approval {
    auto_approve = "always"
    on_deferred  = "apply"
  }
}
cloud "aws" "main" {
  region            = "eu-west-1"
  credentials       = "moto"
}
terraform "a" {
  cloud  = cloud.aws.main
  source = "./x"
  inputs = { name = %[1]q }
}
terraform "b" {
  cloud  = cloud.aws.main
  source = "./x"
  inputs = { name = terraform.a.outputs.name }
}
terraform "c" {
  cloud  = cloud.aws.main
  source = "./x"
  inputs = { name = terraform.b.outputs.name }
}
`, name)
	if err := s.submit(name, map[string]string{"stack.hcl": stack, "x/main.tf": module}, nil); err != nil {
		return 0, err
	}
	return s.applying(name)
}
