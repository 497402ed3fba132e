package main

import (
	"fmt"
	"net"
	"net/http"
	"os"
	"os/exec"
	"strconv"
	"time"
)

// awsModule is eight resources of four kinds.
const awsModule = `variable "tag" { type = string }
resource "aws_vpc" "main" {
  cidr_block = "10.20.0.0/16"
  tags       = { Name = "bench", Round = var.tag }
}
resource "aws_subnet" "a" {
  count      = 3
  vpc_id     = aws_vpc.main.id
  cidr_block = cidrsubnet(aws_vpc.main.cidr_block, 8, count.index)
  tags       = { Round = var.tag }
}
resource "aws_security_group" "web" {
  name        = "bench-%[1]s"
  description = "bench"
  vpc_id      = aws_vpc.main.id
  tags        = { Round = var.tag }
}
resource "aws_vpc_security_group_ingress_rule" "https" {
  security_group_id = aws_security_group.web.id
  cidr_ipv4         = "10.0.0.0/8"
  ip_protocol       = "tcp"
  from_port         = 443
  to_port           = 443
}
resource "aws_s3_bucket" "data" {
  bucket = "bench-%[1]s"
  tags   = { Round = var.tag }
}
resource "aws_s3_bucket_versioning" "data" {
  bucket = aws_s3_bucket.data.id
  versioning_configuration { status = "Enabled" }
}
`

const awsProvider = `terraform {
  required_providers {
    aws = { source = "hashicorp/aws" }
  }
}
`

const awsStack = `stack "aws8" {
  approval { auto_approve = "always" }
}
variable "tag" { type = string }
cloud "aws" "main" {
  region            = "eu-west-1"
  credentials       = "moto"
  s3_use_path_style = true
}
terraform "x" {
  cloud  = cloud.aws.main
  source = "./x"
  inputs = { tag = var.tag }
}
`

// aws times runs and drift checks of an eight-resource stack against a fake
// AWS, beside the bare commands.
func (b *bench) aws() error {
	s, creds, stop, err := b.startAWS("aws")
	if err != nil {
		return err
	}
	defer stop()
	return b.awsRounds(s, creds)
}

// startAWS starts a fake AWS and a server that has credentials for it, which are
// given as an environment, too.
func (b *bench) startAWS(name string) (s *server, creds []string, stop func(), err error) {
	cloud, endpoint, err := startMoto()
	if err != nil {
		return nil, nil, nil, err
	}
	endMoto := func() { _ = cloud.Process.Kill(); _ = cloud.Wait() }
	creds = []string{"AWS_ENDPOINT_URL=" + endpoint, "AWS_ACCESS_KEY_ID=bench", "AWS_SECRET_ACCESS_KEY=bench-bench", "AWS_REGION=eu-west-1", "AWS_S3_USE_PATH_STYLE=true"}
	if s, err = b.start(name, nil, "--provider-mirror", providerMirror()); err != nil {
		endMoto()
		return nil, nil, nil, err
	}
	values := map[string]string{}
	for _, name := range []string{"AWS_ENDPOINT_URL", "AWS_ACCESS_KEY_ID", "AWS_SECRET_ACCESS_KEY"} {
		values[name] = valueOf(creds, name)
	}
	stop = func() { s.stop(); endMoto() }
	if err = s.call("PUT", "/v1/credentials/moto", map[string]any{"cloud": "aws", "values": values}, nil); err != nil {
		stop()
	}
	return s, creds, stop, err
}

func (b *bench) awsRounds(s *server, creds []string) error {
	provider := "provider \"aws\" {\n  region            = \"eu-west-1\"\n  s3_use_path_style = true\n}\n"
	dir, err := b.folder("aws-bare", map[string]string{"main.tf": awsProvider + provider + fmt.Sprintf(awsModule, "bare")})
	if err != nil {
		return err
	}
	env, err := b.bareEnv(creds...)
	if err != nil {
		return err
	}
	files := map[string]string{"stack.hcl": awsStack, "x/main.tf": awsProvider + fmt.Sprintf(awsModule, "ours")}
	var ours, bares, check, bareCheck costs
	for i := range max(3, b.rounds/2) + 1 {
		tag := strconv.Itoa(i)
		if err := s.submit("aws8", files, map[string]any{"tag": tag}); err != nil {
			return err
		}
		for _, m := range []struct {
			of *costs
			do func() (cost, error)
		}{
			{&bares, func() (cost, error) { return bare(dir, env, cycle("tag="+tag)...) }},
			{&ours, func() (cost, error) { return s.costOf("aws8", "apply") }},
			{&check, func() (cost, error) { return s.costOf("aws8", "drift") }},
			{&bareCheck, func() (cost, error) { return bare(dir, env, bareDrift("tag="+tag)...) }},
		} {
			took, err := m.do()
			if err != nil {
				return err
			}
			if i > 0 { // the first warms up
				m.of.add(took)
			}
		}
	}
	b.add("AWS run, 8 resources", "s", median(ours.wall), median(bares.wall), "<= 1.0x", "")
	b.add("AWS run, CPU", "s", median(ours.cpu), median(bares.cpu), "", "")
	b.add("drift check of the unchanged AWS stack", "s", median(check.wall), median(bareCheck.wall), "<= 0.7x", "")
	b.add("drift check of the unchanged AWS stack, CPU", "s", median(check.cpu), median(bareCheck.cpu), "", "")
	return nil
}

// bareDrift is what a drift check replaces.
func bareDrift(v string) [][]string {
	return [][]string{{"init", "-input=false"}, {"plan", "-input=false", "-detailed-exitcode", "-var=" + v}}
}

// costOf carries a run and gives what it took, as the client sees it.
func (s *server) costOf(stack, kind string) (took cost, err error) {
	took.cpu, err = s.spent(func() error {
		times, err := s.carry(stack, kind)
		took.wall = times.client.Seconds()
		return err
	})
	return took, err
}

func valueOf(env []string, name string) string {
	for _, kv := range env {
		if len(kv) > len(name) && kv[:len(name)+1] == name+"=" {
			return kv[len(name)+1:]
		}
	}
	return ""
}

// startMoto starts the fake AWS on a free port.
func startMoto() (*exec.Cmd, string, error) {
	l, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		return nil, "", err
	}
	_, port, err := net.SplitHostPort(l.Addr().String())
	l.Close()
	if err != nil {
		return nil, "", err
	}
	cmd := exec.Command("moto_server", "-H", "127.0.0.1", "-p", port)
	cmd.Env = append(os.Environ(), "MOTO_S3_CUSTOM_ENDPOINTS=")
	if err := cmd.Start(); err != nil {
		return nil, "", err
	}
	url := "http://127.0.0.1:" + port
	for range 300 {
		if res, err := http.Get(url); err == nil {
			res.Body.Close()
			return cmd, url, nil
		}
		time.Sleep(100 * time.Millisecond)
	}
	_ = cmd.Process.Kill()
	return nil, "", fmt.Errorf("moto_server did not answer on %s", url)
}
