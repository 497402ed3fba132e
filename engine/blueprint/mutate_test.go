package blueprint

import (
	"context"
	"errors"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/hashicorp/hcl/v2"
	"github.com/hashicorp/hcl/v2/hclsyntax"
	"pgregory.net/rapid"

	"github.com/cloudops-manager/cloudops/engine"
)

// Stacks that are almost right find more than random bytes do: tokens of the
// fixtures are dropped, doubled and swapped.
func TestAlmostRightStacksNeverPanic(t *testing.T) {
	var texts []string
	for _, dir := range []string{"good", "bad"} {
		files, err := filepath.Glob("testdata/" + dir + "/*.hcl")
		if err != nil {
			t.Fatal(err)
		}
		for _, f := range files {
			b, err := os.ReadFile(f)
			if err != nil {
				t.Fatal(err)
			}
			texts = append(texts, string(b))
		}
	}
	tree, err := ReadDir("testdata/bundle")
	if err != nil {
		t.Fatal(err)
	}
	rapid.Check(t, func(t *rapid.T) {
		text := mutated(t, rapid.SampledFrom(texts).Draw(t, "fixture"))
		tree["stack.hcl"] = File{Data: []byte(text)}
		c := testCompiler()
		s, err := c.compile(context.Background(), tree, nil, engine.Pins{}, rapid.Bool().Draw(t, "lenient"))
		if err != nil {
			if !errors.Is(err, engine.ErrInvalid) {
				t.Fatalf("error = %v, want ErrInvalid\n%s", err, text)
			}
			return
		}
		evaluateAll(t, c, s)
	})
}

func mutated(t *rapid.T, text string) string {
	tokens, _ := hclsyntax.LexConfig([]byte(text), "", hcl.InitialPos)
	parts := make([]string, 0, len(tokens))
	end := 0
	for _, token := range tokens {
		parts = append(parts, text[end:token.Range.End.Byte])
		end = token.Range.End.Byte
	}
	for range rapid.IntRange(1, 4).Draw(t, "changes") {
		i := rapid.IntRange(0, len(parts)-1).Draw(t, "place")
		j := rapid.IntRange(0, len(parts)-1).Draw(t, "other")
		switch rapid.IntRange(0, 2).Draw(t, "change") {
		case 0:
			parts[i] = ""
		case 1:
			parts[i] += parts[j]
		default:
			parts[i], parts[j] = parts[j], parts[i]
		}
	}
	return strings.Join(parts, "")
}

func evaluateAll(t *rapid.T, c *Compiler, s *stack) {
	packed, err := s.tree.Pack()
	if err != nil {
		t.Fatal(err)
	}
	rev := &engine.Revision{Stack: s.name, Number: 1, Sources: packed}
	for _, part := range s.components {
		for _, destroy := range []bool{false, true} {
			_, err := c.Evaluate(context.Background(), rev, part.address(), destroy, nil)
			if err != nil && !errors.Is(err, engine.ErrInvalid) {
				t.Fatalf("%s: %v", part.address(), err)
			}
		}
	}
	if _, err := c.Outputs(context.Background(), rev, nil); err != nil && !errors.Is(err, engine.ErrInvalid) {
		t.Fatal(err)
	}
}
