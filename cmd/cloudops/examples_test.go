package main

import (
	"fmt"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/cloudops-manager/cloudops/api/client"
	"github.com/cloudops-manager/cloudops/engine"
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
	machine := func() (id, subnet string) {
		out := aws("ec2", "describe-instances", "--filters", "Name=tag:cloudops:stack,Values=app", "Name=instance-state-name,Values=running",
			"--query", "Reservations[].Instances[].[InstanceId, SubnetId]", "--output", "text")
		id, subnet, _ = strings.Cut(strings.TrimSpace(out), "\t")
		return id, subnet
	}
	id, subnet := machine()
	if out := s.cli(t, "", "stack", "show", "shared-network"); !strings.Contains(out, subnet) || !strings.Contains(out, "read by app") {
		t.Errorf("the machine is in subnet %s, and the network's stack shows\n%s", subnet, out)
	}
	if out := s.cliCode(t, exitFailed, "stack", "destroy", "shared-network", "--yes"); !strings.Contains(out, "destroy that first") {
		t.Errorf("destroying the network under the machine: %s", out)
	}
	s.cli(t, "", "stack", "apply", "-f", example("shared-network"), "--var", "zones=3", "--yes")
	out := s.cli(t, "", "run", "watch", s.startedByUpstream(t, "app"))
	if now, in := machine(); now != id || in != subnet {
		t.Errorf("with one more subnet the machine %s in %s became %s in %s:\n%s", id, subnet, now, in, out)
	}
	s.cli(t, "", "stack", "destroy", "app", "--yes")
	s.cli(t, "", "stack", "destroy", "shared-network", "--yes")
}

// startedByUpstream waits for the run of a stack that a change of what it reads
// starts, and returns its identifier.
func (s *testServer) startedByUpstream(t *testing.T, stack string) string {
	t.Helper()
	api, deadline := s.client(t), time.Now().Add(90*time.Second)
	for tick := time.NewTicker(50 * time.Millisecond); time.Now().Before(deadline); <-tick.C {
		runs, err := api.Runs(t.Context(), client.RunFilter{Stack: stack}, client.Page{Limit: 1})
		if err != nil {
			t.Fatal(err)
		}
		if r := runs.Items[0]; r.Trigger == string(engine.TriggerUpstream) {
			return r.ID
		}
	}
	t.Fatalf("no run of %s was started", stack)
	return ""
}

func TestPaymentsAreValidOnBothCloudsAndAppliedOnOne(t *testing.T) {
	t.Parallel()
	mirror := enginetest.NeedProviderMirror(t)
	s := startServer(t, "--provider-mirror", mirror)
	s.fakeAWS(t)
	s.cli(t, "ARM_CLIENT_ID=nobody", "credential", "set", "azure-ledger", "--cloud", "azure")

	for _, env := range []string{"dev", "prod"} {
		s.cli(t, "", "stack", "validate", "-f", example("payments"), "--var", "env="+env)
	}
	out := s.cli(t, "", "stack", "apply", "-f", example("payments"), "--var", "fake_aws=true", "--yes", "--only", "terraform.receipts", "--only", "terraform.logs")
	if !strings.Contains(out, "aws_s3_bucket.this") || !strings.Contains(out, "aws_sns_topic") || strings.Contains(out, "azurerm") {
		t.Errorf("the part on AWS:\n%s", out)
	}
	s.planOnAzure(t, mirror)
	s.cli(t, "", "stack", "destroy", "payments", "--yes", "--only", "terraform.receipts", "--only", "terraform.logs")

	out = s.cliCode(t, exitFailed, "stack", "apply", "-f", example("payments"), "--var", "fake_aws=true", "--var", "env=prod", "--yes", "--only", "terraform.receipts")
	if !strings.Contains(out, "admin can't approve because admin started run") {
		t.Errorf("who starts a run in production approves it:\n%s", out)
	}
}

// planOnAzure plans the ledger's network, which the ledger waits for, where there
// are Azure's provider and an account: it signs in before it does anything.
func (s *testServer) planOnAzure(t *testing.T, mirror string) {
	t.Helper()
	for _, provider := range []string{"azurerm", "random"} {
		if _, err := os.Stat(filepath.Join(mirror, "registry.terraform.io", "hashicorp", provider)); err != nil {
			t.Logf("the part on Azure is not planned: the mirror has no provider %s", provider)
			return
		}
	}
	var account strings.Builder
	for _, name := range []string{"ARM_TENANT_ID", "ARM_SUBSCRIPTION_ID", "ARM_CLIENT_ID", "ARM_CLIENT_SECRET"} {
		if os.Getenv(name) == "" {
			t.Logf("the part on Azure is not planned: there is no %s to sign in with", name)
			return
		}
		fmt.Fprintf(&account, "%s=%s\n", name, os.Getenv(name))
	}
	s.cli(t, account.String(), "credential", "set", "azure-ledger", "--cloud", "azure")
	out := s.cli(t, "", "run", "start", "payments", "--kind", "preview", "--only", "terraform.ledger_network", "--only", "terraform.ledger")
	if !strings.Contains(out, "azurerm_virtual_network.this") || !strings.Contains(out, "terraform.ledger") {
		t.Errorf("the part on Azure:\n%s", out)
	}
}
