package modules_test

import (
	"bytes"
	"fmt"
	"maps"
	"os"
	"path"
	"regexp"
	"slices"
	"strconv"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"

	"github.com/cloudops-manager/cloudops/modules"
)

// overviewMark is where README.md goes on with what is made from the modules.
const overviewMark = "<!-- What follows is made from the modules by go test ./modules -run README -update -->\n"

func TestREADMEShowsInputByInputWhatEachCloudDoes(t *testing.T) {
	got, err := os.ReadFile("README.md")
	if err != nil {
		t.Fatal(err)
	}
	head, _, found := strings.Cut(string(got), overviewMark)
	if !found {
		t.Fatalf("README.md lacks the line %q", overviewMark)
	}
	want := head + overviewMark + overview(t)
	if *update {
		if err := os.WriteFile("README.md", []byte(want), 0o644); err != nil {
			t.Fatal(err)
		}
		return
	}
	if diff := cmp.Diff(want, string(got)); diff != "" {
		t.Errorf("README.md is stale; run: go test ./modules -run README -update (-want +got):\n%s", diff)
	}
}

var clouds = []string{"aws", "azure", "gcp"}

// overview lists the modules, and those of each name input by input.
func overview(t *testing.T) string {
	t.Helper()
	of := map[string]map[string]module{}
	var b bytes.Buffer
	fmt.Fprintf(&b, "\n| module | what it makes | ISO 27001, Annex A |\n|---|---|---|\n")
	for _, name := range modules.Names() {
		m := readModule(t, name)
		cloud, purpose := path.Dir(name), path.Base(name)
		if of[purpose] == nil {
			of[purpose] = map[string]module{}
		}
		of[purpose][cloud] = m
		about, controls, _ := strings.Cut(m.about, "\n"+isoMark)
		fmt.Fprintf(&b, "| [%s](%[1]s) | %s | %s |\n", name, cell(strings.ReplaceAll(about, "\n", " ")), controls)
	}
	for _, purpose := range slices.Sorted(maps.Keys(of)) {
		if len(of[purpose]) > 1 {
			writePurpose(&b, purpose, of[purpose])
		}
	}
	return b.String()
}

func writePurpose(b *bytes.Buffer, purpose string, of map[string]module) {
	fmt.Fprintf(b, "\n## %s\n\n| input | aws | azure | gcp |\n|---|---|---|---|\n", purpose)
	var inputs []string
	for _, cloud := range clouds {
		for _, in := range of[cloud].inputs {
			if !slices.Contains(inputs, in.name) {
				inputs = append(inputs, in.name)
			}
		}
	}
	for _, name := range inputs {
		row := []string{"`" + name + "`"}
		for _, cloud := range clouds {
			row = append(row, aboutInput(of[cloud], name, row))
		}
		fmt.Fprintf(b, "| %s |\n", strings.Join(row, " | "))
	}
}

// aboutInput says what a cloud does with an input: the same as the first one,
// something of its own, or nothing at all.
func aboutInput(m module, name string, before []string) string {
	for _, in := range m.inputs {
		if in.name != name {
			continue
		}
		if len(before) > 1 && before[1] == cell(in.about) {
			return "as aws"
		}
		return cell(in.about)
	}
	return "not there"
}

// isoMark begins the line that says which controls a module helps with.
const isoMark = "ISO 27001: "

// controls is how many controls each part of Annex A has, in ISO/IEC 27001:2022.
var controls = map[string]int{"5": 37, "6": 8, "7": 14, "8": 34}

var control = regexp.MustCompile(`^A\.([5-8])\.(\d+)$`)

func TestModulesNameControlsThatThereAre(t *testing.T) {
	for _, name := range modules.Names() {
		if path.Dir(name) == "local" {
			continue
		}
		_, list, found := strings.Cut(readModule(t, name).about, "\n"+isoMark)
		if !found {
			t.Errorf("%s: the comment at the top of main.tf does not end with %sA.8.24, ...", name, isoMark)
		}
		for _, c := range strings.Split(list, ", ") {
			m := control.FindStringSubmatch(c)
			if m == nil {
				t.Errorf("%s: %q is no control", name, c)
				continue
			}
			if n, err := strconv.Atoi(m[2]); err != nil || n < 1 || n > controls[m[1]] {
				t.Errorf("%s: there is no control %s", name, c)
			}
		}
	}
}
