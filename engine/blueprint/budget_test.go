package blueprint

import (
	"context"
	"fmt"
	"strings"
	"testing"

	"github.com/zclconf/go-cty/cty"

	"github.com/cloudops-manager/cloudops/engine"
)

// A few hundred bytes once kept the server busy for minutes, or took all its memory.
func TestValuesThatGrowWithoutBoundAreRefused(t *testing.T) {
	doubling := "locals {\n l0 = \"0123456789\"\n"
	for i := range 12 {
		doubling += fmt.Sprintf(" l%d = \"%s\"\n", i+1, strings.Repeat(fmt.Sprintf("${local.l%d}", i), 10))
	}
	doubling += "}\noutput \"o\" { value = local.l12 }\n"
	output := func(expr string) string { return "output \"o\" { value = " + expr + " }\n" }
	big := "locals { b = \"" + strings.Repeat("y", 100_000) + "\" }\n"
	tests := map[string]struct{ source, want string }{
		"locals that multiply":           {doubling, "Too much to work out"},
		"loops within loops":             {output("[for a in range(1000) : [for b in range(1000) : [for c in range(1000) : a + b + c]]]"), "Too much to work out"},
		"conditions of loops":            {output("[for a in range(1000) : [for b in range(1000) : 1 if [for c in range(1000) : c] == []]]"), "Too much to work out"},
		"objects of loops":               {output("{for a in range(1000) : a => {for b in range(1000) : b => {for c in range(1000) : c => a}}}"), "Too much to work out"},
		"text that is copied by a loop":  {"locals {\n a = join(\"\", range(1000))\n b = join(\"\", [for i in range(1000) : local.a])\n}\n" + output("[for i in range(1000) : \"${i}${local.b}\"]"), "Too much to work out"},
		"products of sets":               {output("setproduct(range(1000), range(1000), range(1000))"), "too large"},
		"wide formats":                   {output(`format("%1000000000d", 1)`), "four digits"},
		"wide formats of lists":          {output(`formatlist("%-1000000000s", ["a"])`), "four digits"},
		"deep indents":                   {output(`indent(1000000000, "a\nb")`), "at most 1000"},
		"replacements":                   {"locals { a = join(\"\", range(1000)) }\n" + output(`replace(local.a, "/[0-9]/", local.a)`), "too large"},
		"joins by much":                  {big + output(`length(join(local.b, range(1000)))`), "too large"},
		"formats of much":                {big + output(`length(format("`+strings.Repeat("%[1]s", 1000)+`", local.b))`), "too large"},
		"formats of lists by much":       {big + output(`length(formatlist("%s%s", local.b, range(1000)))`), "too large"},
		"indents of many lines":          {output(`length(indent(1000, replace("` + strings.Repeat("y", 1000) + `", "y", "` + strings.Repeat(`\n`, 1000) + `")))`), "too large"},
		"escapes of escapes":             {output("length(" + strings.Repeat("jsonencode(", 40) + `"\""` + strings.Repeat(")", 40) + ")"), "too large"},
		"base64 of base64":               {output("length(" + strings.Repeat("base64encode(", 80) + `"a"` + strings.Repeat(")", 80) + ")"), "too large"},
		"templates with many texts":      {output(`templatefile("u", {b = "` + strings.Repeat("y", 10_000) + `"})`), "too large"},
		"templates with loops in loops":  {output(`templatefile("t", {n = range(1000)})`), "grow beyond"},
		"loops in modules' inputs alone": {"terraform \"a\" {\n source = \"./m\"\n inputs = { a = [for a in range(1000) : [for b in range(1000) : [for c in range(1000) : a + b + c]]] }\n}\n", "Too much to work out"},
	}
	for name, tt := range tests {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			tree := Tree{
				"stack.hcl": {Data: []byte("stack \"s\" {}\n" + tt.source)},
				"t":         {Data: []byte("%{for a in n}%{for b in n}%{for c in n}x%{endfor}%{endfor}%{endfor}")},
				"u":         {Data: []byte(strings.Repeat(`${replace(b, "y", "yyyyyyyyyyyyyyyyyyyy")}`, 1000))},
				"m/main.tf": {Data: []byte("variable \"a\" {}\n")},
			}
			_, err := testCompiler().compile(context.Background(), tree, nil, engine.Pins{}, false)
			wantInvalid(t, err, tt.want)
			if n := strings.Count(err.Error(), tt.want); n > 1 {
				t.Errorf("said %d times", n)
			}
		})
	}
}

// Calls within one expression are counted as they are made, and not when it is done.
func TestTextsThatCallsMakeAreCountedTogether(t *testing.T) {
	text := cty.StringVal("[" + strings.Repeat("0,", 99) + "0]") // 201 bytes
	for name, tt := range map[string]struct{ left, want int }{
		"upper":      {3 * 201, 4},
		"jsondecode": {2 * 201 * perByte, 3},
	} {
		left, calls := tt.left, 0
		f := meter(commonFunctions()[name], name == "jsondecode", &left)
		for ; calls < 100; calls++ {
			if _, err := f.Call([]cty.Value{text.Mark(sensitive)}); err != nil {
				break
			}
		}
		if calls != tt.want {
			t.Errorf("%s is called %d times, want %d", name, calls, tt.want)
		}
	}
}

// What is referred to often is not made again each time.
func TestLargeValuesAreReferredToOften(t *testing.T) {
	source := "stack \"s\" {}\nlocals {\n big = [for i in range(1000) : {name = \"n${i}\", size = i}]\n}\n"
	for i := range 1000 {
		source += fmt.Sprintf("output \"o%d\" { value = local.big[%d].name }\n", i, i)
	}
	source += "output \"text\" { value = replace(join(\"\", [for i in range(1000) : \"" + strings.Repeat("x", 300) + "\"]), \"x\", \"yy\") }\n"
	tree := Tree{"stack.hcl": {Data: []byte(source)}}
	if _, err := testCompiler().compile(context.Background(), tree, nil, engine.Pins{}, false); err != nil {
		t.Error(err)
	}
}

// A stack as large as they may be needs a small part of what there is.
func TestLargestStackStaysWithinTheBudget(t *testing.T) {
	dir := t.TempDir()
	write(t, dir, chain(MaxComponents))
	tree, err := ReadDir(dir)
	if err != nil {
		t.Fatal(err)
	}
	s, diags := parse(tree)
	if diags.HasErrors() {
		t.Fatal(diags)
	}
	sc := s.scope(nil)
	for range MaxComponents {
		if _, diags := sc.eval(s.locals["tags"].Expr); diags.HasErrors() {
			t.Fatal(diags)
		}
	}
	if spent := maxWork - sc.work.left; spent > maxWork/10 {
		t.Errorf("spent %d of %d", spent, maxWork)
	}
}
