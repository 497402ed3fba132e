package blueprint

import (
	"context"
	"errors"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/cloudops-manager/cloudops/engine"
)

// FuzzCompile holds that whatever a person writes, the answer is a stack that
// can be evaluated or mistakes that say where they are.
func FuzzCompile(f *testing.F) {
	for _, pattern := range []string{"testdata/good/*.hcl", "testdata/bad/*.hcl"} {
		files, err := filepath.Glob(pattern)
		if err != nil {
			f.Fatal(err)
		}
		for _, file := range files {
			text, err := os.ReadFile(file)
			if err != nil {
				f.Fatal(err)
			}
			f.Add(string(text))
		}
	}
	tree, err := ReadDir("testdata/bundle")
	if err != nil {
		f.Fatal(err)
	}
	f.Fuzz(func(t *testing.T, text string) {
		if strings.Contains(text, "git::") {
			t.Skip("fetches")
		}
		own := Tree{"stack.hcl": {Data: []byte(text)}}
		for name, file := range tree {
			own[name] = file
		}
		hangs := time.AfterFunc(20*time.Second, func() { panic("it hangs") })
		defer hangs.Stop()
		c := testCompiler()
		s, err := c.compile(context.Background(), own, nil, engine.Pins{}, false)
		if err != nil {
			if !errors.Is(err, engine.ErrInvalid) {
				t.Fatalf("error = %v, want ErrInvalid", err)
			}
			return
		}
		packed, err := s.tree.Pack()
		if err != nil {
			t.Fatal(err)
		}
		rev := &engine.Revision{Stack: s.name, Number: 1, Sources: packed}
		for _, part := range s.components {
			if _, err := c.Evaluate(context.Background(), rev, part.address(), true, nil); err != nil && !errors.Is(err, engine.ErrInvalid) {
				t.Fatalf("%s: %v", part.address(), err)
			}
		}
		if _, err := c.Outputs(context.Background(), rev, nil); err != nil && !errors.Is(err, engine.ErrInvalid) {
			t.Fatal(err)
		}
	})
}

// A stack overflow ends the process, so the parser must not be fed these.
func TestDeepNestingIsRefused(t *testing.T) {
	const n = 20_000
	tests := map[string]string{
		"brackets":            strings.Repeat("[", n),
		"parentheses":         strings.Repeat("(", n),
		"braces":              strings.Repeat("{a=", n),
		"closed brackets":     strings.Repeat("[", n) + strings.Repeat("]", n),
		"negations":           strings.Repeat("!", n) + "true",
		"minus signs":         "(" + strings.Repeat("-\n", n) + "1)",
		"sums":                "1" + strings.Repeat("+1", n),
		"conditions":          strings.Repeat("true ? 1 : ", n) + "1",
		"conditions in lines": "(" + strings.Repeat("true ?\n 1 :\n", n) + "1)",
		"templates":           strings.Repeat(`"${`, n),
		"directives":          "<<X\n" + strings.Repeat("%{if true}", n) + "\nX\n",
		"indexes":             "var.a" + strings.Repeat("[0]", n),
		"attributes":          "var" + strings.Repeat(".a", n),
		"splats":              "var.a" + strings.Repeat("[*]", n),
		"calls":               strings.Repeat("upper(", n),
		"for expressions":     strings.Repeat("[for a in ", n),
	}
	for name, text := range tests {
		t.Run(name, func(t *testing.T) {
			for what, source := range map[string]string{
				"stack":    "stack \"s\" {}\nlocals {\n a = " + text + "\n}\n",
				"variable": "stack \"s\" {}\nvariable \"a\" {\n default = " + text + "\n}\n",
			} {
				tree := Tree{"stack.hcl": {Data: []byte(source)}}
				_, err := testCompiler().compile(context.Background(), tree, nil, engine.Pins{}, false)
				if !errors.Is(err, engine.ErrInvalid) {
					t.Errorf("%s: error = %v, want ErrInvalid", what, err)
				}
			}
		})
	}
	t.Run("blocks", func(t *testing.T) {
		tree := Tree{"stack.hcl": {Data: []byte(strings.Repeat("a {\n", n))}}
		_, err := testCompiler().compile(context.Background(), tree, nil, engine.Pins{}, false)
		wantInvalid(t, err, "Nested too deeply")
	})
	t.Run("files of data", func(t *testing.T) {
		for _, call := range []string{`jsondecode(file("deep"))`, `yamldecode(file("deep"))`, `templatefile("template", {})`} {
			tree := Tree{
				"stack.hcl": {Data: []byte("stack \"s\" {}\noutput \"o\" { value = " + call + " }\n")},
				"deep":      {Data: []byte(strings.Repeat("[", n))},
				"template":  {Data: []byte(strings.Repeat("${[", n))},
			}
			_, err := testCompiler().compile(context.Background(), tree, nil, engine.Pins{}, false)
			wantInvalid(t, err, "stack.hcl:2")
		}
	})
	t.Run("modules", func(t *testing.T) {
		for _, name := range []string{"m/main.tf", "m/main.tf.json"} {
			tree := Tree{
				"stack.hcl": {Data: []byte("stack \"s\" {}\nterraform \"a\" { source = \"./m\" }\n")},
				name:        {Data: []byte(`{"variable":` + strings.Repeat("[", n))},
			}
			_, err := testCompiler().compile(context.Background(), tree, nil, engine.Pins{}, false)
			wantInvalid(t, err, name)
		}
	})
}
