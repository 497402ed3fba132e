package blueprint

import (
	"context"
	"fmt"
	"os"
	"strings"
	"testing"
	"time"

	"github.com/cloudops-manager/cloudops/engine"
)

// chain is a stack of n components in folders of their own, each made from the
// output of the one ten before.
func chain(n int) map[string]string {
	var b strings.Builder
	files := map[string]string{}
	b.WriteString("stack \"large\" {}\nvariable \"env\" { default = \"dev\" }\nlocals { tags = { env = var.env } }\n")
	b.WriteString("cloud \"aws\" \"main\" { region = \"eu-west-1\" }\n")
	for i := range n {
		upstream := `"none"`
		if i >= 10 {
			upstream = fmt.Sprintf("terraform.c%d.outputs.id", i-10)
		}
		fmt.Fprintf(&b, "terraform \"c%d\" {\n  cloud = cloud.aws.main\n  source = \"./m%d\"\n  inputs = {\n    name = \"${var.env}-%d\"\n    upstream = %s\n    tags = local.tags\n  }\n}\n", i, i, i, upstream)
		files[fmt.Sprintf("m%d/main.tf", i)] = "variable \"name\" { type = string }\nvariable \"upstream\" { type = string }\nvariable \"tags\" { type = map(string) }\noutput \"id\" { value = var.name }\n"
	}
	files["stack.hcl"] = b.String()
	return files
}

func TestAThousandComponentsAreOneStack(t *testing.T) {
	dir := t.TempDir()
	write(t, dir, chain(MaxComponents))
	start := time.Now()

	bp, err := testCompiler().CompileDir(context.Background(), dir, nil)

	if err != nil {
		t.Fatal(err)
	}
	t.Logf("checked in %s", time.Since(start))
	seen := map[string]bool{}
	for _, c := range bp.Components {
		for _, need := range c.Needs {
			if !seen[need] {
				t.Errorf("%s comes before %s, which it needs", c.Address, need)
			}
		}
		seen[c.Address] = true
	}
	if len(seen) != MaxComponents {
		t.Errorf("components = %d", len(seen))
	}
}

func TestMoreComponentsAreRefused(t *testing.T) {
	dir := t.TempDir()
	write(t, dir, chain(MaxComponents+1))

	_, err := testCompiler().CompileDir(context.Background(), dir, nil)

	wantInvalid(t, err, "at most 1000 components")
}

func TestALongCycleNamesItsMembersInOrder(t *testing.T) {
	files := chain(40)
	files["stack.hcl"] = strings.Replace(files["stack.hcl"], `upstream = "none"`, "upstream = terraform.c30.outputs.id", 1)
	dir := t.TempDir()
	write(t, dir, files)

	_, err := testCompiler().CompileDir(context.Background(), dir, nil)

	wantInvalid(t, err, "terraform.c0 -> terraform.c30 -> terraform.c20 -> terraform.c10 -> terraform.c0")
}

func BenchmarkCompileThousand(b *testing.B) {
	dir := b.TempDir()
	for name, text := range chain(MaxComponents) {
		target := dir + "/" + name
		if err := os.MkdirAll(target[:strings.LastIndex(target, "/")], 0o755); err != nil {
			b.Fatal(err)
		}
		if err := os.WriteFile(target, []byte(text), 0o644); err != nil {
			b.Fatal(err)
		}
	}
	c := testCompiler()
	for b.Loop() {
		if _, err := c.CompileDir(context.Background(), dir, nil); err != nil {
			b.Fatal(err)
		}
	}
}

// BenchmarkEvaluate is what a step start costs once its stack is in memory.
func BenchmarkEvaluate(b *testing.B) {
	tree := Tree{}
	for name, text := range chain(MaxComponents) {
		tree[name] = File{Data: []byte(text)}
	}
	packed, err := tree.Pack()
	if err != nil {
		b.Fatal(err)
	}
	c := testCompiler()
	rev := &engine.Revision{Stack: "large", Number: 1, Sources: packed}
	upstream := map[string]engine.Outputs{"terraform.c989": {"id": value(`"x"`)}}
	for b.Loop() {
		if _, err := c.Evaluate(context.Background(), rev, "terraform.c999", false, upstream); err != nil {
			b.Fatal(err)
		}
	}
}
