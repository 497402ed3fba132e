package blueprint

import (
	"testing"

	"github.com/hashicorp/hcl/v2"
	"github.com/hashicorp/hcl/v2/hclsyntax"
	"github.com/zclconf/go-cty/cty"
)

// The values are those that terraform console 1.11 gives; the complaints are
// our own.
func TestFunctionsBehaveLikeTerraforms(t *testing.T) {
	tests := map[string]struct{ want, wantErr string }{
		`alltrue([true, false])`:                   {want: `false`},
		`alltrue([])`:                              {want: `true`},
		`alltrue([true, null])`:                    {want: `false`},
		`anytrue([false, null, true])`:             {want: `true`},
		`anytrue([])`:                              {want: `false`},
		`coalesce("", null, "b")`:                  {want: `"b"`},
		`coalesce(null, 2)`:                        {want: `2`},
		`coalesce("", "")`:                         {wantErr: "no argument"},
		`index(["a", "b"], "b")`:                   {want: `1`},
		`index(["a"], "b")`:                        {wantErr: "does not hold"},
		`length("äöü")`:                            {want: `3`},
		`length({ a = 1, b = 2 })`:                 {want: `2`},
		`length(5)`:                                {wantErr: "length takes"},
		`lookup({ a = 1 }, "a", 2)`:                {want: `1`},
		`lookup({ a = 1 }, "b", 2)`:                {want: `2`},
		`lookup(tomap({ a = "x" }), "a")`:          {want: `"x"`},
		`lookup({ a = 1 }, "b")`:                   {wantErr: "no such key"},
		`matchkeys(["x", "y"], ["a", "b"], ["b"])`: {want: `["y"]`},
		`one([])`:                                  {want: `null`},
		`one(["a"])`:                               {want: `"a"`},
		`one(["a", "b"])`:                          {wantErr: "more than one"},
		`sum([1, 2.5])`:                            {want: `3.5`},
		`transpose({ a = ["x", "y"], b = ["y"] })`: {want: `{"x":["a"],"y":["a","b"]}`},
		`startswith("abc", "ab")`:                  {want: `true`},
		`endswith("abc", "ab")`:                    {want: `false`},
		`strcontains("abc", "b")`:                  {want: `true`},
		`strrev("abc")`:                            {want: `"cba"`},
		`reverse([1, 2])`:                          {want: `[2,1]`},
		`replace("a.b", ".", "-")`:                 {want: `"a-b"`},
		`replace("aXbX", "/X(.)?/", "<$1>")`:       {want: `"a\u003cb\u003e\u003c\u003e"`},
		`base64encode("hello")`:                    {want: `"aGVsbG8="`},
		`base64decode("aGVsbG8=")`:                 {want: `"hello"`},
		`base64decode("?")`:                        {wantErr: "not base64"},
		`md5("a")`:                                 {want: `"0cc175b9c0f1b6a831c399e269772661"`},
		`sha1("a")`:                                {want: `"86f7e437faa5a7fce15d1ddcb9eaeaea377667b8"`},
		`substr(sha256("a"), 0, 8)`:                {want: `"ca978112"`},
		`base64sha256("a")`:                        {want: `"ypeBEsobvcr6wjGzmiPcTaeG7/gUfE5yuYB3ha/uSLs="`},
		`urlencode("a b&c")`:                       {want: `"a+b%26c"`},
		`timecmp("2026-01-02T00:00:00Z", "2026-01-02T01:00:00+01:00")`: {want: `0`},
		`cidrhost("10.12.112.0/20", 16)`:                               {want: `"10.12.112.16"`},
		`cidrhost("10.12.112.0/20", -1)`:                               {want: `"10.12.127.255"`},
		`cidrhost("fd00:fd12:3456:7890::/56", 34)`:                     {want: `"fd00:fd12:3456:7800::22"`},
		`cidrhost("10.0.0.0/30", 4)`:                                   {wantErr: "no host of that number"},
		`cidrnetmask("172.16.0.0/12")`:                                 {want: `"255.240.0.0"`},
		`cidrnetmask("0.0.0.0/0")`:                                     {want: `"0.0.0.0"`},
		`cidrsubnet("172.16.0.0/12", 4, 2)`:                            {want: `"172.18.0.0/16"`},
		`cidrsubnet("10.1.2.0/24", 4, 15)`:                             {want: `"10.1.2.240/28"`},
		`cidrsubnet("fd00:fd12:3456:7890::/56", 16, 162)`:              {want: `"fd00:fd12:3456:7800:a200::/72"`},
		`cidrsubnet("10.0.0.0/8", 4, 16)`:                              {wantErr: "do not give"},
		`cidrsubnet("10.0.0.0/30", 4, 0)`:                              {wantErr: "room for 0 to 2"},
		`cidrsubnet("ten", 4, 0)`:                                      {wantErr: "address range"},
		`cidrsubnets("10.1.0.0/16", 4, 4, 8, 4)`:                       {want: `["10.1.0.0/20","10.1.16.0/20","10.1.32.0/24","10.1.48.0/20"]`},
		`cidrsubnets("fd00:fd12:3456:7890::/56", 16, 16, 16, 32)`:      {want: `["fd00:fd12:3456:7800::/72","fd00:fd12:3456:7800:100::/72","fd00:fd12:3456:7800:200::/72","fd00:fd12:3456:7800:300::/88"]`},
		`cidrsubnets("10.0.0.0/30", 1, 1, 1)`:                          {wantErr: "no room"},
		`file("a.txt")`:                                                {want: `"hello ${name}"`},
		`file("./sub/../a.txt")`:                                       {want: `"hello ${name}"`},
		`file("${path.module}/a.txt")`:                                 {want: `"hello ${name}"`},
		`file("../../etc/passwd")`:                                     {wantErr: "leads out"},
		`file("/etc/passwd")`:                                          {wantErr: "leads out"},
		`file("b.txt")`:                                                {wantErr: `Did you mean "a.txt"?`},
		`fileexists("b.txt")`:                                          {want: `false`},
		`fileset("sub", "*.yml")`:                                      {want: `["x.yml"]`},
		`filebase64("a.txt")`:                                          {want: `"aGVsbG8gJHtuYW1lfQ=="`},
		`templatefile("a.txt", { name = upper("x") })`:                 {want: `"hello X"`},
		`templatefile("a.txt", {})`:                                    {wantErr: "a.txt:1"},
		`templatefile("self.txt", {})`:                                 {wantErr: "no function named"},
		`yamldecode(file("sub/x.yml")).a[1]`:                           {want: `2`},
		`yamlencode({ a = [1] })`:                                      {want: `"\"a\":\n- 1\n"`},
		`jsondecode("[1]")`:                                            {want: `[1]`},
		`try(jsondecode("["), "no")`:                                   {want: `"no"`},
		`can(jsondecode("["))`:                                         {want: `false`},
		`toset(["b", "a", "b"])`:                                       {want: `["a","b"]`},
		`tonumber("5")`:                                                {want: `5`},
		`timestamp()`:                                                  {wantErr: "another value each time"},
		`uuid()`:                                                       {wantErr: "another value each time"},
		`bcrypt("x")`:                                                  {wantErr: "another value each time"},
		`yamldecode("a: &a [1]\nb: &b [${join(",", [for i in range(99) : "\t*a"])}]\nc: [${join(",", [for i in range(99) : "*b"])}]")`: {wantErr: "aliases"},
	}
	s, _ := parse(Tree{
		"stack.hcl": {Data: []byte(`stack "s" {}`)}, "a.txt": {Data: []byte("hello ${name}")},
		"self.txt": {Data: []byte(`${templatefile("self.txt", {})}`)}, "sub/x.yml": {Data: []byte("a: [1, 2]\n")},
	})
	sc := s.scope(func(string, string) cty.Value { return cty.DynamicVal })
	for text, tt := range tests {
		t.Run(text, func(t *testing.T) {
			expr, diags := hclsyntax.ParseExpression([]byte(text), "x", hcl.InitialPos)
			if diags.HasErrors() {
				t.Fatal(diags)
			}
			v, diags := sc.eval(expr)
			if tt.wantErr != "" {
				wantInvalid(t, s.report(diags).Err(), tt.wantErr)
				return
			}
			if diags.HasErrors() {
				t.Fatal(diags)
			}
			if got, err := toJSON(v); string(got) != tt.want || err != nil {
				t.Errorf("got %s, want %s; error %v", got, tt.want, err)
			}
		})
	}
}

// A function of an output that is not known yet must not complain.
func TestFunctionsOfUnknownValuesAreUnknown(t *testing.T) {
	s, _ := parse(Tree{"stack.hcl": {Data: []byte("stack \"s\" {}\nterraform \"a\" { source = \"x\" }")}})
	sc := s.scope(func(string, string) cty.Value { return cty.DynamicVal.Mark(sensitive) })
	for name, f := range s.functions() {
		args := ""
		for i := range f.Params() {
			if i > 0 {
				args += ", "
			}
			args += "terraform.a.outputs.x"
		}
		if f.VarParam() != nil && len(f.Params()) == 0 {
			args = "terraform.a.outputs.x, terraform.a.outputs.y"
		}
		if name == "timestamp" || name == "plantimestamp" || name == "uuid" || name == "bcrypt" {
			continue
		}
		expr, diags := hclsyntax.ParseExpression([]byte(name+"("+args+")"), "x", hcl.InitialPos)
		if diags.HasErrors() {
			t.Fatal(diags)
		}
		if _, diags := sc.eval(expr); diags.HasErrors() {
			t.Errorf("%s(%s): %v", name, args, diags)
		}
	}
}
