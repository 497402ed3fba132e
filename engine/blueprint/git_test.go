package blueprint

import (
	"context"
	"errors"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"slices"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"

	"github.com/cloudops-manager/cloudops/engine"
	"github.com/cloudops-manager/cloudops/engine/enginetest"
)

// repository makes a Git repository of the files on branch main and returns
// its address and first commit, which has the tag v1. A second commit changes
// net/main.tf.
func repository(t *testing.T, files map[string]string) (url, commit string) {
	t.Helper()
	if _, err := exec.LookPath("git"); err != nil {
		if os.Getenv("CLOUDOPS_TEST_ALL") != "" {
			t.Fatal(err)
		}
		t.Skip("needs git: apt-get install git")
	}
	dir := t.TempDir()
	git := func(args ...string) string {
		t.Helper()
		cmd := exec.Command("git", append([]string{"-C", dir, "-c", "user.name=t", "-c", "user.email=t@example.com", "-c", "commit.gpgsign=false"}, args...)...)
		out, err := cmd.CombinedOutput()
		if err != nil {
			t.Fatalf("git %v: %v: %s", args, err, out)
		}
		return strings.TrimSpace(string(out))
	}
	git("init", "-q", "-b", "main")
	write(t, dir, files)
	git("add", ".")
	git("commit", "-q", "-m", "one")
	git("tag", "v1")
	commit = git("rev-parse", "HEAD")
	write(t, dir, map[string]string{"net/main.tf": "variable \"later\" {}\n"})
	git("commit", "-q", "-am", "two")
	return "file://" + dir, commit
}

var repositoryFiles = map[string]string{
	"net/main.tf":      "variable \"name\" { default = \"\" }\nmodule \"x\" { source = \"../shared/base\" }\noutput \"id\" { value = 1 }\n",
	"shared/base/m.tf": "output \"y\" { value = 2 }\n",
	"other/huge.bin":   strings.Repeat("x", MaxFile+1),
}

func gitStack(source string) string {
	return "stack \"s\" {}\nterraform \"a\" {\n  source = \"" + source + "\"\n}\noutput \"o\" { value = terraform.a.outputs.id }\n"
}

func TestModulesFromGitBecomePartOfTheSources(t *testing.T) {
	url, commit := repository(t, repositoryFiles)
	for name, ref := range map[string]string{"by tag": "v1", "by commit": commit, "by the start of a commit": commit[:10]} {
		t.Run(name, func(t *testing.T) {
			c := testCompiler()
			rev := compileText(t, c, gitStack("git::"+url+"//net?ref="+ref), nil)
			tree, err := Unpack(rev.Sources)
			if err != nil {
				t.Fatal(err)
			}
			got, err := c.Evaluate(context.Background(), rev, "terraform.a", false, nil)
			if err != nil {
				t.Fatal(err)
			}
			dir, ok := strings.CutPrefix(got.Terraform.Source, "./")
			if !ok || !strings.HasPrefix(dir, ".cloudops/git/") || !strings.HasSuffix(dir, "/net") {
				t.Errorf("source = %s", got.Terraform.Source)
			}
			var names []string
			for _, n := range tree.names() {
				if rest, ok := strings.CutPrefix(n, filepath.Dir(dir)+"/"); ok {
					names = append(names, rest)
				}
			}
			if diff := cmp.Diff([]string{"net/main.tf", "shared/base/m.tf"}, names); diff != "" {
				t.Errorf("vendored (-want +got):\n%s", diff)
			}
		})
	}
}

func TestModulesFromGitThatCannotBeUsed(t *testing.T) {
	url, _ := repository(t, repositoryFiles)
	tests := map[string]struct{ source, wantErr string }{
		"a branch without the output":    {"git::" + url + "//net?ref=main", `has no output "id"`},
		"the default branch as well":     {"git::" + url + "//net", `has no output "id"`},
		"a ref that is not there":        {"git::" + url + "//net?ref=v9", "Module cannot be fetched"},
		"a repository that is not there": {"git::file:///nowhere/at/all.git", "Module cannot be fetched"},
		"a folder that is not there":     {"git::" + url + "//nat?ref=v1", "cannot be read as a folder"},
		"a folder without a module":      {"git::" + url + "//shared?ref=v1", "no Terraform files in shared"},
		"a file that is too large":       {"git::" + url + "//other?ref=v1", "at most 1 MB"},
		"a ref that is an option":        {"git::" + url + "//net?ref=--upload-pack=evil", "is no tag, branch or commit"},
		"a folder outside":               {"git::" + url + "//../net", "leads out of the repository"},
		"another question":               {"git::" + url + "//net?depth=1", "is not known"},
		"a protocol that runs programs":  {"git::ext::sh -c evil", "with nothing else"},
	}
	for name, tt := range tests {
		t.Run(name, func(t *testing.T) {
			_, _, err := testCompiler().Compile(context.Background(), bundleWith(t, gitStack(tt.source)), nil, engine.Pins{})
			wantInvalid(t, err, tt.wantErr)
		})
	}
}

func TestModulesFromGitComeOverHTTPS(t *testing.T) {
	local, commit := repository(t, repositoryFiles)
	dir := strings.TrimPrefix(local, "file://")
	host, ca := enginetest.GitHTTPS(t, filepath.Dir(dir))
	url := host + "/" + filepath.Base(dir)
	git := GitCLI{NoFile: true, Env: []string{"GIT_SSL_CAINFO=" + ca}}
	for name, ref := range map[string]string{"by tag": "v1", "by commit": commit, "by the start of a commit": commit[:10]} {
		t.Run(name, func(t *testing.T) {
			c := testCompiler()
			c.Git = git
			rev := compileText(t, c, gitStack("git::"+url+"//net?ref="+ref), nil)
			if tree, err := Unpack(rev.Sources); err != nil || !slices.ContainsFunc(tree.names(), func(n string) bool { return strings.HasSuffix(n, "/net/main.tf") }) {
				t.Errorf("sources = %v, %v", tree.names(), err)
			}
		})
	}
	tests := map[string]struct {
		git               GitCLI
		url, ref, wantErr string
	}{
		"a branch is as it is now":           {git, url, "main", ""},
		"a server that nobody vouches for":   {GitCLI{}, url, "v1", "certificate"},
		"a repository that is not there":     {git, host + "/none", "", "not found"},
		"a ref that is not there":            {git, url, "v9", "v9"},
		"a repository that wants a password": {git, host + "/private/x", "", "terminal prompts disabled"},
	}
	for name, tt := range tests {
		t.Run(name, func(t *testing.T) {
			got, err := tt.git.Fetch(t.Context(), tt.url, tt.ref, t.TempDir())
			if tt.wantErr != "" {
				wantInvalid(t, err, tt.wantErr)
			} else if err != nil || got == commit {
				t.Errorf("fetched %s, %v", got, err)
			}
		})
	}
}

func TestGitRefusesWhatItCouldMisread(t *testing.T) {
	tests := map[string]struct {
		git      GitCLI
		url, ref string
	}{
		"an option for an address": {GitCLI{}, "--upload-pack=evil", ""},
		"another protocol":         {GitCLI{}, "ssh://example.com/a", ""},
		"an option for a ref":      {GitCLI{}, "https://example.com/a", "--evil"},
		"the disk of the server":   {GitCLI{NoFile: true}, "file:///srv/a", ""},
		"git that is not there":    {GitCLI{Program: "git-is-not-here"}, "file:///srv/a", ""},
	}
	for name, tt := range tests {
		t.Run(name, func(t *testing.T) {
			_, err := tt.git.Fetch(context.Background(), tt.url, tt.ref, t.TempDir())
			if !errors.Is(err, engine.ErrInvalid) {
				t.Errorf("error = %v, want ErrInvalid", err)
			}
		})
	}
}

// Ten folders that each hold the one below ten times are ten objects and 10^10 files.
func TestARepositoryOfEndlessFilesIsNotCheckedOut(t *testing.T) {
	url, _ := repository(t, repositoryFiles)
	dir := strings.TrimPrefix(url, "file://")
	git := func(input string, args ...string) string {
		t.Helper()
		cmd := exec.Command("git", append([]string{"-C", dir, "-c", "user.name=t", "-c", "user.email=t@example.com"}, args...)...)
		cmd.Stdin = strings.NewReader(input)
		out, err := cmd.Output()
		if err != nil {
			t.Fatalf("git %v: %v", args, err)
		}
		return strings.TrimSpace(string(out))
	}
	object, kind := git("boo", "hash-object", "-w", "--stdin"), "100644 blob "
	for range 10 {
		var tree strings.Builder
		for i := range 10 {
			fmt.Fprintf(&tree, "%s%s\t%d\n", kind, object, i)
		}
		object, kind = git(tree.String(), "mktree"), "040000 tree "
	}
	git("", "branch", "bomb", git("", "commit-tree", "-m", "boom", object))
	into := t.TempDir()
	_, err := GitCLI{}.Fetch(t.Context(), url, "bomb", into)
	wantInvalid(t, err, "more than 100000 files")
	if all, err := os.ReadDir(into); len(all) != 1 {
		t.Errorf("it was checked out: %v, %v", all, err)
	}
}

func TestACommitIsMeasured(t *testing.T) {
	var m commitSize
	for _, part := range []string{"100644 blob 01 ", "  12\ta/b/c\x00100644 blob 02 30\ta/b/d\x00160000 commit 03 -\ta/sub\x00100644 blob 04 5\tb", "\x00"} {
		if n, err := m.Write([]byte(part)); n != len(part) || err != nil {
			t.Errorf("%d, %v", n, err)
		}
	}
	if m.files != 4+2 || m.bytes != 47 {
		t.Errorf("%d files and folders with %d bytes", m.files, m.bytes)
	}
	if _, err := m.Write([]byte("100644 blob 05 536870912\tzeros\x00")); err == nil {
		t.Error("more is taken")
	}
}

func TestGitStopsWhenAskedTo(t *testing.T) {
	url, _ := repository(t, repositoryFiles)
	stopped := errors.New("stopped")
	ctx, cancel := context.WithCancelCause(context.Background())
	cancel(stopped)

	_, err := GitCLI{}.Fetch(ctx, url, "", t.TempDir())

	if !errors.Is(err, stopped) {
		t.Errorf("error = %v, want the cause", err)
	}
}

func TestTheBundleCannotBringFetchedModulesItself(t *testing.T) {
	url, _ := repository(t, repositoryFiles)
	dir := (&gitSource{url: url, ref: "v1"}).dir()
	c := testCompiler()
	bundle := bundleWith(t, gitStack("git::"+url+"//net?ref=v1"), map[string]string{dir + "/net/evil.tf": "# evil"})

	_, sources, err := c.Compile(context.Background(), bundle, nil, engine.Pins{})
	if err != nil {
		t.Fatal(err)
	}
	tree, err := Unpack(sources)
	if _, there := tree[dir+"/net/evil.tf"]; there || err != nil {
		t.Errorf("the bundle's own file was kept, error %v", err)
	}
}
