package engine

import (
	"errors"
	"slices"
	"strings"
	"testing"
)

func TestOnlyKeepsWhatIsAskedFor(t *testing.T) {
	rev := chain() // terraform.a <- terraform.b <- ansible.c
	rev.Blueprint.Components[2].OnDestroy = true
	each := Component{Address: `terraform.e["x"]`, Kind: KindTerraform}
	rev.Blueprint.Components = append(rev.Blueprint.Components, each)
	all := map[string]int{"terraform.a": 1, "terraform.b": 1, "ansible.c": 1}
	tests := map[string]struct {
		req   StartRequest
		there map[string]int
		want  string // addresses, or what the error says
	}{
		"all without":               {StartRequest{Kind: RunApply}, nil, `terraform.a terraform.b ansible.c terraform.e["x"]`},
		"one":                       {StartRequest{Kind: RunApply, Only: []string{"terraform.a"}}, nil, "terraform.a"},
		"a block with for_each":     {StartRequest{Kind: RunPreview, Only: []string{"terraform.e"}}, nil, `terraform.e["x"]`},
		"with what it needs":        {StartRequest{Kind: RunApply, Only: []string{"terraform.b", "terraform.a"}}, nil, "terraform.a terraform.b"},
		"what it needs is there":    {StartRequest{Kind: RunApply, Only: []string{"terraform.b"}}, all, "terraform.b"},
		"what it needs is not":      {StartRequest{Kind: RunApply, Only: []string{"terraform.b"}}, nil, "terraform.a, which is not applied yet"},
		"unknown":                   {StartRequest{Kind: RunApply, Only: []string{"terraform.z"}}, nil, `no component "terraform.z"`},
		"a target":                  {StartRequest{Kind: RunApply, Resources: ResourceChoice{Target: []string{"terraform.a:x.y"}}}, nil, "terraform.a"},
		"a replacement is no limit": {StartRequest{Kind: RunApply, Only: nil, Resources: ResourceChoice{Replace: []string{"terraform.a:x.y"}}}, nil, `terraform.a terraform.b ansible.c terraform.e["x"]`},
		"a target of a playbook":    {StartRequest{Kind: RunApply, Resources: ResourceChoice{Target: []string{"ansible.c:x"}}}, nil, "is no resource of this run"},
		"a target without resource": {StartRequest{Kind: RunApply, Resources: ResourceChoice{Target: []string{"terraform.a:"}}}, nil, "is no resource of this run"},
		"a drift check":             {StartRequest{Kind: RunDrift, Resources: ResourceChoice{Target: []string{"terraform.a:x.y"}}}, nil, "takes no resources"},
		"a destroy":                 {StartRequest{Kind: RunDestroy, Only: []string{"ansible.c"}}, all, "ansible.c"},
		"a destroy under others":    {StartRequest{Kind: RunDestroy, Only: []string{"terraform.a"}}, all, "terraform.b needs terraform.a and is still there"},
		"a destroy with others":     {StartRequest{Kind: RunDestroy, Only: []string{"terraform.a", "terraform.b", "ansible.c"}}, all, "ansible.c terraform.b terraform.a"},
	}
	for name, test := range tests {
		t.Run(name, func(t *testing.T) {
			parts := applyParts(&rev.Blueprint, 1)
			if test.req.Kind == RunDestroy {
				parts = whole(t, standing{}, RunDestroy, rev)
			}
			kept, err := standing{deployed: test.there}.only(test.req, parts)
			if err != nil {
				if !errors.Is(err, ErrInvalid) && !errors.Is(err, ErrConflict) || !strings.Contains(err.Error(), test.want) {
					t.Errorf("error = %v", err)
				}
				return
			}
			var got []string
			for _, p := range kept {
				got = append(got, p.Address)
				for _, need := range p.needs {
					if !slices.ContainsFunc(kept, func(k placed) bool { return k.Address == need }) {
						t.Errorf("%s waits for %s, which is not in the run", p.Address, need)
					}
				}
			}
			if strings.Join(got, " ") != test.want {
				t.Errorf("parts = %v", got)
			}
		})
	}
}
