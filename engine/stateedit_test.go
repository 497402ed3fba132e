package engine

import (
	"encoding/json"
	"slices"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"
)

// edited is a state with counted, keyed, single and nested resources.
const edited = `{"version": 4, "serial": 7, "lineage": "l", "check_results": null, "resources": [
	{"mode": "managed", "type": "t", "name": "one", "provider": "p", "instances": [{"attributes": {"id": 1}, "dependencies": ["t.many", "module.m.t.in"]}]},
	{"mode": "managed", "type": "t", "name": "many", "provider": "p", "instances": [{"index_key": 0}, {"index_key": 1}]},
	{"mode": "managed", "type": "t", "name": "keyed", "provider": "p", "instances": [{"index_key": "a.b"}, {"index_key": "c\"d"}]},
	{"mode": "data", "type": "t", "name": "one", "provider": "p", "instances": [{}]},
	{"module": "module.m", "mode": "managed", "type": "t", "name": "in", "provider": "p", "instances": [{"dependencies": ["t.one"]}]},
	{"module": "module.m.module.n[\"k\"]", "mode": "managed", "type": "t", "name": "deep", "provider": "p", "instances": [{}]},
	{"module": "module.mm", "mode": "managed", "type": "t", "name": "in", "provider": "p", "instances": [{}]}]}`

func instancesIn(d *stateDocument) (all []string) {
	for _, r := range d.resources {
		for _, i := range r.instances() {
			all = append(all, r.address().all()+i.instanceKey())
		}
	}
	slices.Sort(all)
	return all
}

func TestResourcesGetOtherAddresses(t *testing.T) {
	tests := map[string]struct {
		from, to string
		gone     string // addresses, with spaces between
		come     string
		wantErr  string
	}{
		"a resource":                         {from: "t.one", to: "t.two", gone: "t.one", come: "t.two"},
		"one of many":                        {from: "t.many[1]", to: "t.last", gone: "t.many[1]", come: "t.last"},
		"one into many":                      {from: "t.one", to: "t.many[2]", gone: "t.one", come: "t.many[2]"},
		"a number becomes a key":             {from: "t.many[0]", to: `t.keyed["e"]`, gone: "t.many[0]", come: `t.keyed["e"]`},
		"a key with a dot":                   {from: `t.keyed["a.b"]`, to: `t.keyed["x"]`, gone: `t.keyed["a.b"]`, come: `t.keyed["x"]`},
		"a key with a quote":                 {from: `t.keyed["c\"d"]`, to: "t.plain", gone: `t.keyed["c\"d"]`, come: "t.plain"},
		"all instances":                      {from: "t.many", to: "t.lots", gone: "t.many[0] t.many[1]", come: "t.lots[0] t.lots[1]"},
		"data beside a resource of its name": {from: "data.t.one", to: "data.t.two", gone: "data.t.one", come: "data.t.two"},
		"into a module":                      {from: "t.one", to: "module.x.t.one", gone: "t.one", come: "module.x.t.one"},
		"a module with all in it":            {from: "module.m", to: `module.o["k"]`, gone: `module.m.t.in module.m.module.n["k"].t.deep`, come: `module.o["k"].t.in module.o["k"].module.n["k"].t.deep`},
		"a module within one":                {from: `module.m.module.n["k"]`, to: "module.n", gone: `module.m.module.n["k"].t.deep`, come: "module.n.t.deep"},
		"what is not there":                  {from: "t.tow", to: "t.x", wantErr: "has no t.tow; it has t.one, t.many"},
		"an instance that is not there":      {from: "t.many[2]", to: "t.x", wantErr: "has no t.many[2]"},
		"a place that is taken":              {from: "t.one", to: "t.many[1]", wantErr: "has t.many[1] already"},
		"a resource over another":            {from: "t.many", to: "t.keyed", gone: "t.many[0] t.many[1]", come: "t.keyed[0] t.keyed[1]"},
		"a single one beside counted ones":   {from: "t.one", to: "t.many", wantErr: "already"},
		"many as one":                        {from: "t.many", to: "t.x[0]", wantErr: "has 2 instances; name the one"},
	}
	for name, tt := range tests {
		t.Run(name, func(t *testing.T) {
			d, err := openState([]byte(edited))
			if err != nil {
				t.Fatal(err)
			}
			want := slices.DeleteFunc(instancesIn(d), func(a string) bool { return slices.Contains(strings.Fields(tt.gone), a) })
			want = append(want, strings.Fields(tt.come)...)
			slices.Sort(want)

			err = move(d, tt.from, tt.to)

			if tt.wantErr != "" {
				if err == nil || !strings.Contains(err.Error(), tt.wantErr) {
					t.Errorf("error = %v, want %q", err, tt.wantErr)
				}
				return
			}
			if diff := cmp.Diff(want, instancesIn(d)); err != nil || diff != "" {
				t.Errorf("error %v; resources (-want +got):\n%s", err, diff)
			}
		})
	}
}

func move(d *stateDocument, from, to string) error {
	a, err := parseAddress(from)
	if err != nil {
		return err
	}
	b, err := parseAddress(to)
	if err != nil {
		return err
	}
	taken, err := d.take(a)
	if err != nil {
		return err
	}
	if err := d.put(taken, a, b); err != nil {
		return err
	}
	return d.follow(a, b)
}

func TestWhatIsNotMovedStaysAsItIs(t *testing.T) {
	d, err := openState([]byte(edited))
	if err != nil {
		t.Fatal(err)
	}
	if err := move(d, "t.many", "module.x.t.many"); err != nil {
		t.Fatal(err)
	}
	v, err := d.close(8, "l")
	if err != nil || v.Serial != 8 || v.Resources != 8 {
		t.Errorf("version = %+v, %v", v, err)
	}
	var fields map[string]json.RawMessage
	if err := json.Unmarshal(v.Data, &fields); err != nil || string(fields["check_results"]) != "null" {
		t.Errorf("check_results = %s, %v", fields["check_results"], err)
	}
	one := d.resources[0].instances()[0]
	if string(one["attributes"]) != `{"id":1}` || string(one["dependencies"]) != `["module.x.t.many","module.m.t.in"]` {
		t.Errorf("the first resource is %s, %s", one["attributes"], one["dependencies"])
	}
}

func TestAddressesThatAreNone(t *testing.T) {
	for _, text := range []string{"", "one", "t.one.two", "t.one[", "t.one[x]", "module.", "module.m.", "data.t", "t..one", "module.m t.one", `t.one["a"]x`} {
		if a, err := parseAddress(text); err == nil {
			t.Errorf("%q is read as %+v", text, a)
		}
	}
	for _, text := range []string{"t.one", "t.one[0]", `t.one["a]b"]`, "module.m", `module.m["x.y"].module.n[0]`, "module.m.data.t.one[3]"} {
		if a, err := parseAddress(text); err != nil || a.String() != text && a.module != text {
			t.Errorf("%q is read as %q, %v", text, a, err)
		}
	}
}
