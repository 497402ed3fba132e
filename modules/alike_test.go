package modules_test

import (
	"encoding/json"
	"os"
	"path"
	"path/filepath"
	"slices"
	"testing"

	"github.com/google/go-cmp/cmp"

	"github.com/cloudops-manager/cloudops/modules"
)

// ownRules are the inputs whose rules differ from cloud to cloud, by the reason.
var ownRules = map[string][]string{
	"clouds name these in ways of their own": {"compute.image", "compute.size", "compute.security_group_ids", "compute.user",
		"database.size", "database.encryption_key_id", "kubernetes.node_size", "kubernetes.encryption_key_id",
		"logging-and-alerts.encryption_key_id", "object-storage.encryption_key_id", "secret.encryption_key_id", "secret.readers"},
	"clouds have limits of their own": {"compute.disk_gb", "database.storage_gb", "function.timeout_seconds", "function.log_days",
		"kubernetes.node_count", "kubernetes.node_count_max", "logging-and-alerts.retention_days", "logging-and-alerts.log_patterns"},
	"AWS wants subnets in two zones":            {"database.subnet_ids", "kubernetes.subnet_ids"},
	"AWS chooses the patch of a version itself": {"kubernetes.kubernetes_version"},
}

// TestModulesOfANameAreAlike holds that a stack can go from cloud to cloud: the
// same inputs mean the same and obey the same rules, what one cloud adds has a
// default, and outputs are the same.
func TestModulesOfANameAreAlike(t *testing.T) {
	differ := map[string]bool{}
	for name, list := range sameName(t) {
		if len(list) != 3 {
			t.Errorf("%s is there on %d of 3 clouds", name, len(list))
		}
		for _, other := range list[1:] {
			wantsNoMore(t, list[0], other)
			wantsNoMore(t, other, list[0])
			alike(t, list[0], other, differ)
			if diff := cmp.Diff(names(list[0].outputs), names(other.outputs)); diff != "" {
				t.Errorf("outputs of %s and %s (-first +second):\n%s", list[0].name, other.name, diff)
			}
		}
	}
	for why, inputs := range ownRules {
		for _, in := range inputs {
			if !differ[in] {
				t.Errorf("rules of %s are the same on each cloud, and %q is no reason", in, why)
			}
		}
	}
}

// sameName returns the modules of clouds by what they are for.
func sameName(t *testing.T) map[string][]module {
	t.Helper()
	of := map[string][]module{}
	for _, name := range modules.Names() {
		if path.Dir(name) != "local" {
			of[path.Base(name)] = append(of[path.Base(name)], readModule(t, name))
		}
	}
	return of
}

// wantsNoMore holds that a can be put in b's place: b has what a must be given.
func wantsNoMore(t *testing.T, a, b module) {
	t.Helper()
	for _, in := range a.inputs {
		if in.fallback == "" && !slices.Contains(names(b.inputs), in.name) {
			t.Errorf("%s wants %s, which %s does not have", a.name, in.name, b.name)
		}
	}
}

// alike compares the inputs that both have and puts those with other rules into
// differ.
func alike(t *testing.T, a, b module, differ map[string]bool) {
	t.Helper()
	for _, in := range a.inputs {
		i := slices.IndexFunc(b.inputs, func(v value) bool { return v.name == in.name })
		if i < 0 {
			continue
		}
		other := b.inputs[i]
		if other.kind != in.kind || other.fallback != in.fallback {
			t.Errorf("%s is %s, by default %q, in %s and %s, %q, in %s", in.name, in.kind, in.fallback, a.name, other.kind, other.fallback, b.name)
		}
		input, diff := path.Base(a.name)+"."+in.name, cmp.Diff(in.rules, other.rules)
		differ[input] = differ[input] || diff != ""
		if diff != "" && !hasOwnRules(input) {
			t.Errorf("rules of %s (-%s +%s):\n%s", in.name, a.name, b.name, diff)
		}
	}
}

func hasOwnRules(input string) bool {
	for _, inputs := range ownRules {
		if slices.Contains(inputs, input) {
			return true
		}
	}
	return false
}

func names(values []value) (list []string) {
	for _, v := range values {
		list = append(list, v.name)
	}
	slices.Sort(list)
	return list
}

func TestARecordIsCalledTheSameOnEachCloud(t *testing.T) {
	t.Parallel()
	const records = `[{"name": "@", "type": "MX", "values": ["10 mail.example.com."]}, {"name": "*.apps", "type": "CNAME", "values": ["www.example.com"]},
		{"name": "@", "type": "CAA", "values": ["0 issue \"letsencrypt.org\""]}, {"name": "7", "type": "PTR", "values": ["www.example.com."]},
		{"name": "_sip._tcp", "type": "SRV", "values": ["10 5 5060 sip.example.com."]}, {"name": "@", "type": "TXT", "values": ["v=spf1 -all"]}]`
	want := map[string]string{"@ MX": "example.com", "*.apps CNAME": "*.apps.example.com", "@ CAA": "example.com",
		"7 PTR": "7.example.com", "_sip._tcp SRV": "_sip._tcp.example.com", "@ TXT": "example.com"}

	for _, cloud := range clouds {
		tf := newTerraform(t, "") // no provider: only what is made of the inputs
		main := slices.Concat(source(t, cloud+"/dns/variables.tf", ""), source(t, cloud+"/dns/records.tf", ""), source(t, cloud+"/dns/outputs.tf", "records"))
		if err := os.WriteFile(filepath.Join(tf.dir, "main.tf"), main, 0o644); err != nil {
			t.Fatal(err)
		}
		tf.run(t, "apply", "-auto-approve", "-var", "name=example.com", "-var", "records="+records)

		got := map[string]string{}
		if err := json.Unmarshal([]byte(tf.run(t, "output", "-json", "records")), &got); err != nil {
			t.Fatal(err)
		}
		if diff := cmp.Diff(want, got); diff != "" {
			t.Errorf("names on %s (-want +got):\n%s", cloud, diff)
		}
	}
}

// source returns a file's blocks, only those with the label where there is one.
func source(t *testing.T, file, label string) (text []byte) {
	t.Helper()
	src, body := parse(t, file)
	for _, b := range body.Blocks {
		if label == "" || slices.Contains(b.Labels, label) {
			text = append(append(text, src[b.Range().Start.Byte:b.CloseBraceRange.End.Byte]...), '\n')
		}
	}
	return text
}
