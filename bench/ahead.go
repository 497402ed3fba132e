package main

import (
	"fmt"
	"strconv"
	"time"
)

// The output of the first is known when planning, that of the second once it is
// applied. They overwrite, for moto now and then cuts off the connection of an
// answer: the SDK asks again, and would be told that the parameter exists.
const (
	aheadModule = awsProvider + `variable "name" { type = string }
resource "aws_ssm_parameter" "x" {
  name      = "/bench/${var.name}"
  type      = "String"
  value     = var.name
  overwrite = true
}
output "name" { value = "${var.name}-next" }
`
	lateModule = awsProvider + `variable "name" { type = string }
resource "aws_ssm_parameter" "x" {
  name      = "/bench/${var.name}"
  type      = "String"
  value     = var.name
  overwrite = true
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
