package main

import (
	"strings"
	"testing"

	"github.com/cloudops-manager/cloudops/engine/enginetest"
)

func TestAFleetIsMadeInEveryRegion(t *testing.T) {
	t.Parallel()
	s := startServer(t, "--provider-mirror", enginetest.NeedProviderMirror(t))
	aws := awsCLI(t, s.fakeAWS(t))
	networks := func(region string) string {
		return strings.TrimSpace(aws("ec2", "describe-vpcs", "--region", region, "--filters", "Name=tag:cloudops:stack,Values=fleet", "--query", "length(Vpcs)", "--output", "text"))
	}

	s.cli(t, "", "stack", "apply", "-f", example("fleet"), "--var", "fake_aws=true", "--yes")
	for _, region := range []string{"eu-west-1", "us-east-1", "ap-southeast-2"} {
		if n := networks(region); n != "1" {
			t.Errorf("%s has %s networks", region, n)
		}
	}
	s.cli(t, "", "stack", "apply", "-f", example("fleet"), "--var", "fake_aws=true", "--yes", "--var", `regions={"eu": {"region": "eu-west-1", "cidr": "10.30.0.0/16"}}`)
	if eu, us := networks("eu-west-1"), networks("us-east-1"); eu != "1" || us != "0" {
		t.Errorf("after two regions went there are %s networks in Europe and %s in America", eu, us)
	}
	s.cli(t, "", "stack", "destroy", "fleet", "--yes")
}

func TestAnAppIsBuiltOnANetworkThatIsShared(t *testing.T) {
	t.Parallel()
	s := startServer(t, "--provider-mirror", enginetest.NeedProviderMirror(t))
	aws := awsCLI(t, s.fakeAWS(t))

	s.cli(t, "", "stack", "apply", "-f", example("shared-network"), "--yes")
	s.cli(t, "", "stack", "apply", "-f", example("app"), "--yes")
	subnet := strings.TrimSpace(aws("ec2", "describe-instances", "--filters", "Name=tag:cloudops:stack,Values=app", "--query", "Reservations[0].Instances[0].SubnetId", "--output", "text"))
	if out := s.cli(t, "", "stack", "show", "shared-network"); !strings.Contains(out, subnet) || !strings.Contains(out, "read by app") {
		t.Errorf("the machine is in subnet %s, and the network's stack shows\n%s", subnet, out)
	}
	if out := s.cliCode(t, exitFailed, "stack", "destroy", "shared-network", "--yes"); !strings.Contains(out, "destroy that first") {
		t.Errorf("destroying the network under the machine: %s", out)
	}
	s.cli(t, "", "stack", "destroy", "app", "--yes")
	s.cli(t, "", "stack", "destroy", "shared-network", "--yes")
}

func TestPaymentsAreValidOnBothCloudsAndAppliedOnOne(t *testing.T) {
	t.Parallel()
	s := startServer(t, "--provider-mirror", enginetest.NeedProviderMirror(t))
	s.fakeAWS(t)
	s.cli(t, "ARM_CLIENT_ID=nobody", "credential", "set", "azure-ledger", "--cloud", "azure")

	for _, env := range []string{"dev", "prod"} {
		s.cli(t, "", "stack", "validate", "-f", example("payments"), "--var", "env="+env)
	}
	out := s.cli(t, "", "stack", "apply", "-f", example("payments"), "--var", "fake_aws=true", "--yes", "--only", "terraform.receipts", "--only", "terraform.logs")
	if !strings.Contains(out, "aws_s3_bucket.this") || !strings.Contains(out, "aws_sns_topic") || strings.Contains(out, "azurerm") {
		t.Errorf("the part on AWS:\n%s", out)
	}
	s.cli(t, "", "stack", "destroy", "payments", "--yes", "--only", "terraform.receipts", "--only", "terraform.logs")
}
