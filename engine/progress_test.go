package engine

import (
	"slices"
	"strings"
	"testing"
)

const interruptedLog = `aws_vpc.main: Plan to create
aws_vpc.main: Creating...
aws_vpc.main: Still creating... [10s elapsed]
aws_subnet.a["eu-west-1 a"]: Creating...
terraform_data.x: Creating...
terraform_data.x: (local-exec): aws_iam_role.fake: Creating...
terraform_data.x: (local-exec): aws_iam_role.fake: Creation complete after 1s [id=fake]
aws_vpc.main: Creation complete after 11s [id=vpc-1]
aws_s3_bucket.old: Destroying... [id=old]
aws_s3_bucket.old: Destruction complete after 0s
aws_route.r: Modifying... [id=r-1]
aws_route.r: Modifications complete after 1s [id=r-1]
aws_eip.e: Creating...
aws_eip.e: Creation errored after 2s
`

func TestProgressIsReadFromALog(t *testing.T) {
	p := readProgress(strings.NewReader(interruptedLog))
	wantFinished := []Touched{
		{Address: "aws_vpc.main", Action: ActionCreate, ID: "vpc-1"},
		{Address: "aws_s3_bucket.old", Action: ActionDelete, ID: "old"},
		{Address: "aws_route.r", Action: ActionUpdate, ID: "r-1"},
	}
	wantUnknown := []Touched{{Address: `aws_subnet.a["eu-west-1 a"]`, Action: ActionCreate}, {Address: "terraform_data.x", Action: ActionCreate}}
	if !slices.Equal(p.Finished, wantFinished) {
		t.Errorf("finished: %v", p.Finished)
	}
	if !slices.Equal(p.Unknown, wantUnknown) {
		t.Errorf("unknown: %v", p.Unknown)
	}
}

func TestProgressIsComparedWithTheState(t *testing.T) {
	const state = `{"version": 4, "resources": [
		{"mode": "managed", "type": "aws_vpc", "name": "main", "instances": [{"attributes": {"id": "vpc-1"}}]},
		{"mode": "managed", "module": "module.net[0]", "type": "aws_subnet", "name": "a", "instances": [
			{"index_key": "eu-west-1 a", "attributes": {"id": "subnet-old"}},
			{"index_key": 1, "attributes": {"id": "subnet-1"}},
			{"index_key": 2, "deposed": "abc", "attributes": {"id": "subnet-2"}}]}]}`
	p := &Progress{Finished: []Touched{
		{Address: "aws_vpc.main", ID: "vpc-1"}, {Address: `module.net[0].aws_subnet.a["eu-west-1 a"]`, ID: "subnet-new"},
		{Address: "module.net[0].aws_subnet.a[1]", ID: "subnet-1"}, {Address: "module.net[0].aws_subnet.a[2]", ID: "subnet-2"},
	}}
	if err := p.compare([]byte(state)); err != nil {
		t.Fatal(err)
	}
	for i, want := range []bool{true, false, true, false} {
		if p.Finished[i].InState != want {
			t.Errorf("%+v", p.Finished[i])
		}
	}
}

func TestNextPlanTellsWhatItFound(t *testing.T) {
	p := readProgress(strings.NewReader(interruptedLog))
	create := func(address string) Change { return Change{Subject: address, Action: ActionCreate} }
	notes := strings.Join(p.found("run-1", []Change{create("aws_vpc.main"), create("terraform_data.x"), create("aws_eip.e")}), "\n")
	for _, want := range []string{"made aws_vpc.main (vpc-1)", "was making terraform_data.x"} {
		if !strings.Contains(notes, want) {
			t.Errorf("no %q in:\n%s", want, notes)
		}
	}
	if strings.Contains(notes, "aws_eip") {
		t.Errorf("what failed is not lost:\n%s", notes)
	}
	for _, list := range [][]Touched{p.Finished, p.Unknown} {
		for i := range list {
			list[i].InState = true
		}
	}
	if notes := p.found("run-1", nil); len(notes) != 1 || !strings.Contains(notes[0], "all that it is known to have made") {
		t.Errorf("notes: %v", notes)
	}
	if notes := (&Progress{}).found("run-1", nil); len(notes) != 1 || !strings.Contains(notes[0], "no log of it names") {
		t.Errorf("notes without a log: %v", notes)
	}
}
