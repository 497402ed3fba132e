package main

import (
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"testing"

	"github.com/cloudops-manager/cloudops/engine/enginetest"
)

// TestAWSStackIsAppliedDriftsAndIsDestroyed takes examples/aws-web through the
// real AWS provider against a fake AWS.
func TestAWSStackIsAppliedDriftsAndIsDestroyed(t *testing.T) {
	t.Parallel()
	eachPair(t, func(t *testing.T, start func(...string) *testServer) {
		s := start("--provider-mirror", enginetest.NeedProviderMirror(t))
		aws := awsCLI(t, s.fakeAWS(t))
		sshd, dir := enginetest.SSHD(t), t.TempDir()
		key := filepath.Join(dir, "key")
		if err := os.WriteFile(key, []byte(sshd.Key(t, "client")), 0o600); err != nil {
			t.Fatal(err)
		}
		s.cli(t, "", "credential", "set", "web-ssh", "--cloud", "local", "--file", "SSH_PRIVATE_KEY="+key)
		apply := []string{"stack", "apply", "-f", example("aws-web"), "--var", "fake_aws=true", "--yes",
			"--var", fmt.Sprintf(`stand_in={"address": "127.0.0.1", "port": %d, "user": %q}`, sshd.Port, sshd.User),
			"--var", fmt.Sprintf(`web={"web_package": "", "web_become": false, "web_root": "%[1]s/www", "web_config_dir": "%[1]s/nginx"}`, dir)}

		out := s.cli(t, "", apply...)
		if page, err := os.ReadFile(filepath.Join(dir, "www", "index.html")); err != nil || !strings.Contains(string(page), "Files are in https://") {
			t.Errorf("the page is %q, %v", page, err)
		}
		if hosts := s.cli(t, "", "host", "list", "aws-web"); !strings.Contains(hosts, "terraform.machines:aws_instance.this[0]") {
			t.Errorf("hosts:\n%s", hosts)
		}
		for _, want := range []string{"+ aws_vpc.", "+ aws_subnet.", "+ aws_security_group.", "+ aws_s3_bucket.", "+ aws_instance."} {
			if !strings.Contains(out, want) {
				t.Errorf("the plan lacks %s", want)
			}
		}
		if out := s.cli(t, "", "drift", "aws-web"); !strings.Contains(out, "No drift") {
			t.Errorf("drift right after the apply:\n%s", out)
		}

		vpc := strings.TrimSpace(aws("ec2", "describe-vpcs", "--filters", "Name=tag:cloudops:stack,Values=aws-web", "--query", "Vpcs[0].VpcId", "--output", "text"))
		aws("ec2", "create-tags", "--resources", vpc, "--tags", "Key=Owner,Value=somebody")
		out = s.cliCode(t, exitChanges, "drift", "aws-web")
		if !strings.Contains(out, "terraform.network") || !strings.Contains(out, "~ aws_vpc.") || !strings.Contains(out, "tags.Owner") {
			t.Errorf("the drift check does not name the resource and its attribute:\n%s", out)
		}
		if strings.Contains(out, "aws_s3_bucket") {
			t.Errorf("the drift check names more than what changed:\n%s", out)
		}

		out = s.cli(t, "", append(apply, "--refresh-only")...)
		if !strings.Contains(out, "~ aws_vpc.") || !strings.Contains(out, "tags.Owner") || !strings.Contains(out, "0 to add, 1 to change") {
			t.Errorf("a run that only refreshes does not show what it takes into the state:\n%s", out)
		}
		if tags := aws("ec2", "describe-vpcs", "--vpc-ids", vpc, "--query", "Vpcs[0].Tags[].Key", "--output", "text"); !strings.Contains(tags, "Owner") {
			t.Errorf("a run that only refreshes changed the VPC, whose tags are %s", tags)
		}
		s.cliCode(t, exitChanges, "drift", "aws-web") // it still is not what the stack says

		before := ec2Left(aws, "aws-web")
		s.cli(t, "", "stack", "destroy", "aws-web", "--yes")
		after := ec2Left(aws, "aws-web")
		for kind, n := range before {
			if n == "0" || after[kind] != "0" {
				t.Errorf("of %s %s were there, and %s are left", kind, n, after[kind])
			}
		}
		if buckets := aws("s3api", "list-buckets", "--query", "Buckets[].Name", "--output", "text"); strings.Contains(buckets, "aws-web") {
			t.Errorf("buckets are left: %s", buckets)
		}
		s.cli(t, "", "stack", "delete", "aws-web")
	})
}

// ec2Left counts what EC2 has of a stack, by kind.
func ec2Left(aws func(args ...string) string, stack string) map[string]string {
	left := map[string]string{}
	for kind, query := range map[string]string{
		"vpcs": "Vpcs", "subnets": "Subnets", "security-groups": "SecurityGroups",
		"instances": "Reservations[].Instances[] | [?State.Name!='terminated']", // which are shown for a while
	} {
		left[kind] = strings.TrimSpace(aws("ec2", "describe-"+kind, "--filters", "Name=tag:cloudops:stack,Values="+stack, "--query", "length("+query+")", "--output", "text"))
	}
	return left
}

// fakeAWS starts one and stores credentials for it.
func (s *testServer) fakeAWS(t *testing.T) *enginetest.MotoServer {
	t.Helper()
	moto := enginetest.Moto(t)
	creds := filepath.Join(t.TempDir(), "creds.env")
	if err := os.WriteFile(creds, []byte(strings.Join(moto.Env(), "\n")), 0o600); err != nil {
		t.Fatal(err)
	}
	s.cli(t, "", "credential", "set", "aws-demo", "--cloud", "aws", "--from", creds)
	return moto
}

func example(name string) string { return filepath.Join("..", "..", "examples", name) }

// awsCLI gives the AWS command line against the fake AWS.
func awsCLI(t *testing.T, moto *enginetest.MotoServer) func(args ...string) string {
	t.Helper()
	exe := enginetest.Need(t, "aws", "pipx install awscli")
	return func(args ...string) string {
		t.Helper()
		cmd := exec.Command(exe, args...)
		cmd.Env = append(os.Environ(), moto.Env()...)
		out, err := cmd.Output()
		if err != nil {
			t.Fatalf("aws %s: %v", strings.Join(args, " "), err)
		}
		return string(out)
	}
}
